import { mixAll } from './mix-64';
import { type RowNames } from './row-names';

const { imul } = Math;

/** Rows in the order of 64-bit keys. */
export interface KeyOrder {
  /** `[n]` row numbers by rising key; rows of one key in the order of the table. */
  order: Uint32Array;
  /** `[n]` 1 where the row at this place is the last one with its key. */
  ends: Uint8Array;
}

/**
 * Puts rows into an order that a seed draws from their names: each name has its place in it, whatever other rows are
 * there, and rows of one name are next to each other.
 */
export function drawOrder(names: RowNames, seed: number): KeyOrder {
  const keys = { high: names.high.slice(), low: names.low.slice() };
  mixAll(keys, imul(seed + 0x9e37_79b9, 0x85eb_ca6b), imul(seed ^ 0x5bd1_e995, 0xc2b2_ae35));
  return orderByKey(keys);
}

/** Visits names in order, each with its places: `start` … `end` - 1. */
export function eachName({ ends }: KeyOrder, visit: (start: number, end: number) => void): void {
  let start = 0;
  for (let place = 0; place < ends.length; place++) {
    if (ends[place] === 0) continue;
    visit(start, place + 1);
    start = place + 1;
  }
}

/** Rows in the order of their keys as they are: a radix sort by the upper half, then the few that share it. */
export function orderByKey(keys: RowNames): KeyOrder {
  const order = orderByHalf(keys.high);
  const ends = new Uint8Array(order.length);
  let start = 0;
  for (let end = 1; end <= order.length; end++) {
    if (end < order.length && keys.high[order[end] ?? 0] === keys.high[order[start] ?? 0]) continue;
    if (end - start === 1) ends[start] = 1;
    else orderByLowerHalf(order.subarray(start, end), ends.subarray(start, end), keys.low);
    start = end;
  }
  return { order, ends };
}

/** Rows with the same upper half: nearly always those of one name. */
function orderByLowerHalf(order: Uint32Array, ends: Uint8Array, low: Uint32Array): void {
  const first = low[order[0] ?? 0];
  if (order.some((row) => low[row] !== first)) {
    order.sort((a, b) => (low[a] ?? 0) - (low[b] ?? 0) || a - b);
  }
  for (let place = 0; place < order.length; place++) {
    const isLast = place + 1 === order.length || low[order[place] ?? 0] !== low[order[place + 1] ?? 0];
    ends[place] = isLast ? 1 : 0;
  }
}

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;

/** Row numbers by rising key, 11 bits at a time; the keys move along, so that they are read in order. */
function orderByHalf(high: Uint32Array): Uint32Array {
  const rows = high.length;
  let keys = high.slice();
  let spareKeys = new Uint32Array(rows);
  let order = new Uint32Array(rows);
  let spareOrder = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) order[row] = row;
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    const places = new Uint32Array(DIGITS + 1);
    for (let i = 0; i < rows; i++) {
      const next = (((keys[i] ?? 0) >>> shift) & (DIGITS - 1)) + 1;
      places[next] = (places[next] ?? 0) + 1;
    }
    for (let digit = 1; digit <= DIGITS; digit++) {
      places[digit] = (places[digit] ?? 0) + (places[digit - 1] ?? 0);
    }
    for (let i = 0; i < rows; i++) {
      const key = keys[i] ?? 0;
      const digit = (key >>> shift) & (DIGITS - 1);
      const place = places[digit] ?? 0;
      places[digit] = place + 1;
      spareKeys[place] = key;
      spareOrder[place] = order[i] ?? 0;
    }
    [keys, spareKeys] = [spareKeys, keys];
    [order, spareOrder] = [spareOrder, order];
  }
  return order;
}
