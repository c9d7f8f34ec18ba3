import { RetrainError } from '../../contracts/errors';
import { type RowNaming, SeenRowsHeader } from '../../contracts/seen-rows';
import { orderByKey } from './order-by-key';
import { type RowNames, takeNames } from './row-names';

/** The rows that a model was trained on. */
export interface SeenRows extends RowNaming {
  /** How many there were. */
  rows: number;
  /** `[m]` their different names, rising. */
  names: RowNames;
}

/** Longest first line that is read. */
const MOST_HEADER_BYTES = 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * The names of training rows as bytes: a line of JSON (`SeenRowsHeader`), then each different name, in rising order, as
 * the step from the one before, little-endian, in as many bytes as the largest step needs: six or seven for a
 * million rows, never more than eight.
 *
 * @param names `[n]` of the training rows, in any order.
 */
export function encodeSeenRows({ by, columns }: RowNaming, names: RowNames): Buffer {
  const sorted = different(names);
  const steps = stepsOf(sorted);
  const width = widthOf(steps);
  const header: SeenRowsHeader = {
    ...{ format: 'retrain-seen-rows', version: 1, by, columns },
    ...{ rows: names.high.length, names: sorted.high.length, width },
  };
  const line = Buffer.from(`${JSON.stringify(header)}\n`);
  const bytes = Buffer.alloc(line.length + sorted.high.length * width);
  line.copy(bytes);
  let at = line.length;
  for (let i = 0; i < steps.high.length; i++) {
    for (let byte = 0; byte < width; byte++) {
      const half = byte < 4 ? steps.low : steps.high;
      bytes[at++] = (half[i] ?? 0) >>> (8 * (byte & 3));
    }
  }
  return bytes;
}

/**
 * Reads what `encodeSeenRows` wrote; the bytes may be anybody's.
 *
 * @throws RetrainError MODEL_INVALID for anything else
 */
export function decodeSeenRows(bytes: Buffer): SeenRows {
  const end = bytes.subarray(0, MOST_HEADER_BYTES).indexOf(NEWLINE);
  const header = SeenRowsHeader.safeParse(json(bytes.subarray(0, Math.max(0, end)).toString('utf8')));
  if (end === -1 || !header.success) throw damaged('does not begin with a line that says what is in it');
  const { by, columns, rows, names: count, width } = header.data;
  const body = bytes.subarray(end + 1);
  if (body.length !== count * width || count > rows) {
    throw damaged(`holds ${body.length} bytes of names, expected ${count} names of ${width} bytes`);
  }
  const names = { high: new Uint32Array(count), low: new Uint32Array(count) };
  let high = 0;
  let low = 0;
  for (let i = 0, at = 0; i < count; i++) {
    let stepHigh = 0;
    let stepLow = 0;
    for (let byte = 0; byte < width; byte++) {
      const value = (body[at++] ?? 0) << (8 * (byte & 3));
      if (byte < 4) stepLow |= value;
      else stepHigh |= value;
    }
    const lowSum = low + (stepLow >>> 0);
    const highSum = high + (stepHigh >>> 0) + (lowSum > 0xffff_ffff ? 1 : 0);
    if (highSum > 0xffff_ffff || (i > 0 && stepHigh === 0 && stepLow === 0)) {
      throw damaged('holds names that do not rise');
    }
    [high, low] = [highSum, lowSum >>> 0];
    names.high[i] = high;
    names.low[i] = low;
  }
  return { by, columns, rows, names };
}

/** `[n]` 1 for each row whose name is among those of the training rows. */
export function seenAmong(names: RowNames, { names: seen }: SeenRows): Uint8Array {
  const found = new Uint8Array(names.high.length);
  let at = 0;
  for (const row of orderByKey(names).order) {
    const high = names.high[row] ?? 0;
    const low = names.low[row] ?? 0;
    while (at < seen.high.length && isBelow(seen, at, high, low)) at++;
    if (at === seen.high.length) break;
    found[row] = seen.high[at] === high && seen.low[at] === low ? 1 : 0;
  }
  return found;
}

function isBelow({ high, low }: RowNames, at: number, upper: number, lower: number): boolean {
  const mine = high[at] ?? 0;
  return mine < upper || (mine === upper && (low[at] ?? 0) < lower);
}

/** Each name once, rising. */
function different(names: RowNames): RowNames {
  const { order, ends } = orderByKey(names);
  return takeNames(
    names,
    order.filter((_, place) => ends[place] === 1),
  );
}

/** How far each name is above the one before; the first above 0. */
function stepsOf({ high, low }: RowNames): RowNames {
  const steps = { high: high.slice(), low: low.slice() };
  for (let i = high.length - 1; i > 0; i--) {
    const borrow = (low[i] ?? 0) < (low[i - 1] ?? 0) ? 1 : 0;
    steps.low[i] = (low[i] ?? 0) - (low[i - 1] ?? 0);
    steps.high[i] = (high[i] ?? 0) - (high[i - 1] ?? 0) - borrow;
  }
  return steps;
}

function widthOf({ high, low }: RowNames): number {
  const bytesOf = (most: number): number => Math.ceil((32 - Math.clz32(most)) / 8);
  const upper = high.reduce((most, one) => Math.max(most, one), 0);
  if (upper > 0) return 4 + bytesOf(upper);
  return Math.max(1, bytesOf(low.reduce((most, one) => Math.max(most, one), 0)));
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function damaged(what: string): RetrainError {
  return new RetrainError('MODEL_INVALID', `seen-rows.bin ${what}`);
}
