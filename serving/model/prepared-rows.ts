import { RetrainError } from '../../contracts/errors';
import { type InputColumn } from '../../contracts/stage';
import { type Column } from '../../ml/dataset/raw-table';
import { placesOf } from './cell-reader';
import { type Batch } from './served-model';

/** How many columns of the prepared rows a raw column becomes. */
const widthOf = (input: InputColumn): number =>
  input.kind === 'category' && input.encoding === 'one-hot' ? input.levels.length : 1;

export const preparedWidth = (inputs: readonly InputColumn[]): number =>
  inputs.reduce((sum, input) => sum + widthOf(input), 0);

/**
 * Rows of a batch as the trees see them, column-major `[d, n]`: what `prepareMatrix` makes of them, for one row as quickly as for many.
 *
 * @param into all of its first `[d · n]` numbers are written
 * @throws RetrainError MODEL_INVALID when a column is not as the input is
 */
export function prepareRows(
  batch: Batch,
  inputs: readonly InputColumn[],
  into: Float32Array,
  from = 0,
  to = batch.rows,
): void {
  const rows = to - from;
  let at = 0;
  for (let f = 0; f < inputs.length; f++) {
    const input = inputs[f]!;
    const column = batch.columns[f];
    if (column === undefined || (column.kind === 'number') !== (input.kind === 'number')) {
      throw new RetrainError(
        'MODEL_INVALID',
        `it takes the column ${input.name} as ${input.kind === 'number' ? 'numbers' : 'texts'}, and the rows have ${column === undefined ? 'none' : `${column.kind}s`} there`,
      );
    }
    if (column.kind === 'number') fillNumbers(into, at, column.values, input as NumberInput, from, to);
    else fillLevels(into, at, column, input as CategoryInput, from, to);
    at += rows * widthOf(input);
  }
}

type NumberInput = InputColumn & { kind: 'number' };
type CategoryInput = InputColumn & { kind: 'category' };

function fillNumbers(
  into: Float32Array,
  at: number,
  values: Float64Array,
  { min, max, impute }: NumberInput,
  from: number,
  to: number,
): void {
  if (min === null && max === null) {
    into.set(values.subarray(from, to), at);
    if (impute === null) return;
    for (let i = at; i < at + to - from; i++) if (Number.isNaN(into[i])) into[i] = impute;
    return;
  }
  const low = min ?? -Infinity;
  const high = max ?? Infinity;
  const substitute = impute ?? Number.NaN;
  for (let row = from, i = at; row < to; row++, i++) {
    const value = values[row]!;
    // A comparison with NaN is false.
    into[i] = value < low ? low : value > high ? high : value === value ? value : substitute;
  }
}

function fillLevels(
  into: Float32Array,
  at: number,
  { codes, levels }: Column & { kind: 'text' },
  input: CategoryInput,
  from: number,
  to: number,
): void {
  const rows = to - from;
  // The reader's codes are the model's own; a table's are not.
  const own = levels === input.levels;
  const places = own ? undefined : placesOf(input.levels);
  const levelOf = places === undefined ? undefined : levels.map((level) => places.get(level) ?? -1);
  const known = input.levels.length;
  if (input.encoding === 'one-hot') into.fill(0, at, at + known * rows);
  for (let row = from, i = 0; row < to; row++, i++) {
    const code = codes[row]!;
    const level = levelOf === undefined ? (code < known ? code : -1) : (levelOf[code] ?? -1);
    if (input.encoding === 'ordinal') into[at + i] = level;
    else if (level >= 0) into[at + level * rows + i] = 1;
  }
}
