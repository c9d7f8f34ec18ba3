import { RetrainError } from '../../contracts/errors';
import { type InputColumn, type TableSchema } from '../../contracts/stage';
import { TextBuilder } from './column-builder';
import { type FeatureMatrix, type LabelledMatrix, type ValuedMatrix } from './matrix';
import { type ParquetColumn } from './parquet/format';
import { readParquet } from './parquet/read-parquet';
import { writeParquet } from './parquet/write-parquet';
import { prepareMatrix } from './prepare';
import { type Column, columnOf, takeColumn, textAt, type RawTable } from './raw-table';

/**
 * Writes raw rows for the stages to come: the inputs as float32 or text, then the target as text or float64.
 *
 * @param rows Which rows, in this order.
 */
export function writeTable(
  path: string,
  table: RawTable,
  inputs: readonly InputColumn[],
  target: string,
  rows: Uint32Array,
): void {
  writeParquet(path, [
    ...inputs.map(({ name }) => parquetColumn(columnOf(table, name), rows, 'float')),
    parquetColumn(columnOf(table, target), rows, 'double'),
  ]);
}

function parquetColumn(column: Column, rows: Uint32Array, type: 'float' | 'double'): ParquetColumn {
  const { name } = column;
  // Loops: `from` with a function goes by an iterator, ten times as slow.
  if (column.kind === 'text') {
    const texts = new Array<string | null>(rows.length);
    for (let i = 0; i < rows.length; i++) texts[i] = textAt(column, rows[i]!) ?? null;
    return { name, type: 'text', values: texts };
  }
  const { values } = column;
  const taken = type === 'float' ? new Float32Array(rows.length) : new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) taken[i] = values[rows[i]!] ?? Number.NaN;
  return taken instanceof Float32Array
    ? { name, type: 'float', values: taken }
    : { name, type: 'double', values: taken };
}

/** A table that `writeTable` wrote. */
export interface StoredTable {
  rows: number;
  /** Raw columns, the target's left out. */
  columns: Column[];
  target: Column;
}

/** Some rows of a stored table, in the given order. */
export function takeStored(table: StoredTable, rows: Uint32Array): StoredTable {
  return {
    rows: rows.length,
    columns: table.columns.map((column) => takeColumn(column, rows)),
    target: takeColumn(table.target, rows),
  };
}

/** The inputs of a schema; features as they are where it names none. */
export function inputsOf(schema: TableSchema): InputColumn[] {
  return (
    schema.inputs ??
    schema.features.map((name) => ({ kind: 'number', name, min: null, max: null, impute: null }))
  );
}

/** @throws RetrainError STAGE_FAILED when the file is damaged or does not fit the schema. */
export function readStoredTable(path: string, schema: TableSchema): StoredTable {
  const columns = readParquet(path).map(columnFrom);
  const target = columns.at(-1);
  const expected = [...inputsOf(schema).map(({ name }) => name), schema.target];
  if (target === undefined || columns.map(({ name }) => name).join('\n') !== expected.join('\n')) {
    throw new RetrainError(
      'STAGE_FAILED',
      `the table has the columns ${columns.map(({ name }) => name).join(', ')}, expected ${expected.join(', ')} as in the schema`,
    );
  }
  const rows = target.kind === 'number' ? target.values.length : target.codes.length;
  return { rows, columns: columns.slice(0, -1), target };
}

/** A column as it is stored. */
export function columnFrom({ name, type, values }: ParquetColumn): Column {
  if (type !== 'text') return { kind: 'number', name, values: Float64Array.from(values) };
  const builder = new TextBuilder(name);
  for (const value of values) builder.push(value ?? undefined);
  return builder.finish();
}

/** The rows as the trees see them. */
export function prepared(table: StoredTable, schema: TableSchema): FeatureMatrix {
  return prepareMatrix(table.columns, table.rows, inputsOf(schema));
}

/** Prepared rows with their class numbers. */
export function labelledMatrix(table: StoredTable, schema: TableSchema): LabelledMatrix {
  return {
    ...prepared(table, schema),
    labels: classNumbersOf(table, schema),
    classes: schema.classes.length,
  };
}

/** Prepared rows with the numbers to predict. */
export function valuedMatrix(table: StoredTable, schema: TableSchema): ValuedMatrix {
  return { ...prepared(table, schema), targets: Float32Array.from(targetValues(table)) };
}

/** `[n]` */
export function targetValues({ target }: StoredTable): Float64Array {
  if (target.kind === 'number') return target.values;
  throw new RetrainError(
    'STAGE_FAILED',
    `column "${target.name}" holds classes, expected numbers to predict`,
  );
}

/** `[n]` */
export function classNumbersOf({ target }: StoredTable, { classes }: TableSchema): Uint32Array {
  if (target.kind === 'number') {
    throw new RetrainError('STAGE_FAILED', `column "${target.name}" holds numbers, expected classes`);
  }
  const { name, codes, levels } = target;
  const numberOf = levels.map((level) => classes.indexOf(level));
  const numbers = new Uint32Array(codes.length);
  for (let row = 0; row < codes.length; row++) {
    const number = numberOf[codes[row]!] ?? -1;
    if (number < 0) {
      const shown = levels[codes[row]!] ?? '';
      const message = `"${shown}" of column "${name}" is not among the classes of the schema`;
      throw new RetrainError('STAGE_FAILED', message);
    }
    numbers[row] = number;
  }
  return numbers;
}
