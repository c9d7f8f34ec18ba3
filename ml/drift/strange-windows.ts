import { type Column } from '../dataset/raw-table';
import { type Windows } from './windows';

/** `[offsets]` of each window of the training period, the share of its rows with values that the rest of the period never has. */
export function strangeByWindow(column: Column, { stepOf, steps, length }: Windows): number[] {
  const rows = new Float64Array(steps);
  stepOf.forEach((step) => rows[step]!++);
  const offsets = steps - length + 1;
  const strange = new Float64Array(Math.max(0, offsets));
  if (column.kind === 'text') countLevels(column.codes, stepOf, length, strange);
  else countBeyond(column.values, { stepOf, steps, length }, strange);
  let inside = 0;
  const shares: number[] = [];
  for (let end = 0; end < steps; end++) {
    inside += rows[end]!;
    if (end >= length) inside -= rows[end - length]!;
    const offset = end - length + 1;
    if (offset >= 0 && inside > 0) shares.push(strange[offset]! / inside);
  }
  return shares;
}

/** A level is a window's own where all its rows are in it. */
function countLevels(codes: Int32Array, stepOf: Uint32Array, length: number, strange: Float64Array): void {
  const seen = new Map<number, { first: number; last: number; rows: number }>();
  codes.forEach((code, row) => {
    if (code < 0) return;
    const step = stepOf[row]!;
    const known = seen.get(code);
    if (known === undefined) seen.set(code, { first: step, last: step, rows: 1 });
    else {
      known.first = Math.min(known.first, step);
      known.last = Math.max(known.last, step);
      known.rows += 1;
    }
  });
  for (const { first, last, rows } of seen.values()) {
    const from = Math.max(0, last - length + 1);
    for (let offset = from; offset <= Math.min(first, strange.length - 1); offset++) strange[offset]! += rows;
  }
}

/** Numbers beyond the least and the largest of all steps outside of the window. */
function countBeyond(
  values: Float64Array,
  { stepOf, steps, length }: Omit<Windows, 'count' | 'horizon'>,
  strange: Float64Array,
): void {
  const least = new Float64Array(steps).fill(Infinity);
  const largest = new Float64Array(steps).fill(-Infinity);
  const rowsOf: number[][] = Array.from({ length: steps }, () => []);
  values.forEach((value, row) => {
    if (Number.isNaN(value)) return;
    const step = stepOf[row]!;
    least[step] = Math.min(least[step]!, value);
    largest[step] = Math.max(largest[step]!, value);
    rowsOf[step]!.push(row);
  });
  const [lowBefore, highBefore] = [running(least, Math.min, Infinity), running(largest, Math.max, -Infinity)];
  const lowAfter = running(least.toReversed(), Math.min, Infinity).reverse();
  const highAfter = running(largest.toReversed(), Math.max, -Infinity).reverse();
  for (let offset = 0; offset < strange.length; offset++) {
    const low = Math.min(lowBefore[offset]!, lowAfter[offset + length]!);
    const high = Math.max(highBefore[offset]!, highAfter[offset + length]!);
    for (let step = offset; step < offset + length; step++) {
      // Most steps hold nothing that the others do not.
      if (least[step]! >= low && largest[step]! <= high) continue;
      for (const row of rowsOf[step]!) if (values[row]! < low || values[row]! > high) strange[offset]! += 1;
    }
  }
}

/** `[n + 1]` of the first 0 … n values. */
function running(values: Float64Array, of: (a: number, b: number) => number, empty: number): Float64Array {
  const found = new Float64Array(values.length + 1).fill(empty);
  values.forEach((value, i) => (found[i + 1] = of(found[i]!, value)));
  return found;
}
