import { type PreprocessParams } from '../../contracts/params';
import { type InputColumn } from '../../contracts/stage';
import { byCodePoint } from './code-point-order';
import { fitImputer } from './impute';
import { type FeatureMatrix } from './matrix';
import { type Column, type RawTable, columnOf, textAt } from './raw-table';

/**
 * Learns from the training rows what is done to each raw column before the trees see it: where numbers are clipped,
 * what stands in for missing ones, which levels a text has.
 *
 * @param features Names of the feature columns, in the order in which a model takes them.
 * @param trainRows `[n]`
 * @throws RetrainError DATA_INVALID for a column that has no value in any training row.
 */
export function fitInputs(
  table: RawTable,
  features: readonly string[],
  trainRows: Uint32Array,
  params: Pick<PreprocessParams, 'clip' | 'impute' | 'impute_value' | 'encode'>,
): InputColumn[] {
  return features.map((name): InputColumn => {
    const column = columnOf(table, name);
    if (column.kind === 'text') {
      const levels = new Set(Array.from(trainRows, (row) => textAt(column, row)).filter(isText));
      return {
        kind: 'category',
        name,
        encoding: params.encode[name] ?? 'one-hot',
        levels: [...levels].sort(byCodePoint),
      };
    }
    const { min = null, max = null } = params.clip[name] ?? {};
    const clipped =
      min === null && max === null ? column.values : column.values.map((x) => clip(x, min, max));
    const [substitute = Number.NaN] = fitImputer(
      [clipped],
      [name],
      trainRows,
      params.impute,
      table.file,
      params.impute_value,
    );
    return {
      kind: 'number',
      name,
      min,
      max,
      impute: Number.isNaN(substitute) ? null : Math.fround(substitute),
    };
  });
}

const isText = (text: string | undefined): text is string => text !== undefined;

/** NaN stays NaN. */
function clip(value: number, min: number | null, max: number | null): number {
  if (min !== null && value < min) return min;
  return max !== null && value > max ? max : value;
}

/** Names of the columns that the trees see: `city=Oslo` for a level of a one-hot column. */
export function preparedNames(inputs: readonly InputColumn[]): string[] {
  return inputs.flatMap((input) =>
    input.kind === 'category' && input.encoding === 'one-hot'
      ? input.levels.map((level) => `${input.name}=${level}`)
      : [input.name],
  );
}

/**
 * The columns as the trees see them, `[n, d]` float32, on shared memory.
 *
 * @param columns Raw columns, found by name.
 */
export function prepareMatrix(
  columns: readonly Column[],
  rows: number,
  inputs: readonly InputColumn[],
): FeatureMatrix {
  const features = preparedNames(inputs).length;
  const values = new Float32Array(new SharedArrayBuffer(rows * features * Float32Array.BYTES_PER_ELEMENT));
  let f = 0;
  for (const input of inputs) {
    const column = columns.find(({ name }) => name === input.name);
    const width = input.kind === 'category' && input.encoding === 'one-hot' ? input.levels.length : 1;
    if (column?.kind === 'number' && input.kind === 'number') {
      fillNumbers(values.subarray(f * rows, (f + 1) * rows), column.values, input);
    } else if (column?.kind === 'text' && input.kind === 'category') {
      const levelOf = column.levels.map((level) => input.levels.indexOf(level));
      for (const [row, code] of column.codes.entries()) {
        const level = levelOf[code] ?? -1;
        if (input.encoding === 'ordinal') values[f * rows + row] = level;
        else if (level >= 0) values[(f + level) * rows + row] = 1;
      }
    } else throw new RangeError(`the table has no column ${input.name} of kind ${input.kind}`);
    f += width;
  }
  return { values, rows, features };
}

function fillNumbers(
  into: Float32Array,
  values: Float64Array,
  { min, max, impute }: InputColumn & { kind: 'number' },
): void {
  const substitute = impute ?? Number.NaN;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    into[row] = Number.isNaN(value) ? substitute : clip(value, min, max);
  }
}
