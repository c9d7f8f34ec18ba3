import { RetrainError } from '../../contracts/errors';
import { type PreprocessParams } from '../../contracts/params';
import { sortNumbers } from './sort-numbers';

export type ImputeMethod = PreprocessParams['impute'];

/**
 * What stands in for a missing number in each column, learned from the training rows only.
 *
 * @param columns `[d][n]`, NaN where missing.
 * @returns `[d]`; NaN for a column without a missing value among its n rows.
 * @throws RetrainError DATA_INVALID for a column that has no value in any training row.
 */
export function fitImputer(
  columns: readonly Float64Array[],
  features: readonly string[],
  trainRows: Uint32Array,
  method: ImputeMethod,
  file: string,
  constant = 0,
): number[] {
  return columns.map((column, f) => {
    if (method === 'none' || method === 'refuse') return Number.NaN;
    if (!hasMissing(column)) return Number.NaN;
    if (method === 'constant') return constant;
    const present = presentAmong(column, trainRows);
    if (present.length === 0) {
      throw new RetrainError(
        'DATA_INVALID',
        `${file}: column "${features[f]}" has no value in any of the ${trainRows.length} training rows, so there is no ${method} to impute; drop the column`,
      );
    }
    return STATISTIC[method](present);
  });
}

// Loops: a call per value takes several times as long.

function hasMissing(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== values[i]) return true;
  return false;
}

function presentAmong(column: Float64Array, rows: Uint32Array): Float64Array {
  const present = new Float64Array(rows.length);
  let size = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = column[rows[i]!]!;
    if (value === value) present[size++] = value;
  }
  return present.subarray(0, size);
}

const STATISTIC = { mean, median, mode };

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sorts `values` in place. */
function median(values: Float64Array): number {
  sortNumbers(values);
  const middle = values.length >> 1;
  const upper = values[middle] ?? Number.NaN;
  return values.length % 2 === 1 ? upper : ((values[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The most frequent value, the least of equals, as scikit-learn's `most_frequent`. Sorts `values` in place. */
function mode(values: Float64Array): number {
  sortNumbers(values);
  let best = values[0] ?? Number.NaN;
  let most = 0;
  for (let start = 0, end = 0; start < values.length; start = end) {
    while (end < values.length && values[end] === values[start]) end++;
    if (end - start > most) [best, most] = [values[start] ?? Number.NaN, end - start];
  }
  return best;
}
