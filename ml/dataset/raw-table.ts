/** A column of numbers; NaN is a missing value. `[n]` */
export interface NumberColumn {
  kind: 'number';
  name: string;
  values: Float64Array;
}

/** A column of texts: each row the index of its level, -1 for a missing value. `[n]` */
export interface TextColumn {
  kind: 'text';
  name: string;
  codes: Int32Array;
  /** In the order of their first appearance. */
  levels: string[];
}

export type Column = NumberColumn | TextColumn;

/** A table as read: chosen columns, every number finite within float32, nothing imputed. */
export interface RawTable {
  /** Name of the file or folder for messages. */
  file: string;
  rows: number;
  columns: Column[];
  /** `[n]` 1-based numbers of the rows in what was read, where a filter left some out. */
  rowNumbers?: Float64Array;
}

/** The column of that name; it is there, as the plan asked for it. */
export function columnOf(table: RawTable, name: string): Column {
  const column = table.columns.find((one) => one.name === name);
  if (column === undefined) throw new RangeError(`the table has no column ${name}`);
  return column;
}

/** Text of a cell, undefined where it is missing. */
export function textAt(column: TextColumn, row: number): string | undefined {
  return column.levels[column.codes[row] ?? -1];
}

/** Some rows of a column, in the given order. */
export function takeColumn(column: Column, rows: Uint32Array): Column {
  return column.kind === 'number'
    ? { ...column, values: takeNumbers(column.values, rows) }
    : { ...column, codes: takeCodes(column.codes, rows) };
}

// Loops: `from` with a function goes by an iterator, ten times as slow.

/** Some of the numbers, in the given order. */
export function takeNumbers(values: Float64Array, rows: Uint32Array): Float64Array {
  const taken = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) taken[i] = values[rows[i]!] ?? Number.NaN;
  return taken;
}

function takeCodes(codes: Int32Array, rows: Uint32Array): Int32Array {
  const taken = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) taken[i] = codes[rows[i]!] ?? -1;
  return taken;
}

/** The table with some of its rows, in the given order. */
export function takeRows(table: RawTable, rows: Uint32Array): RawTable {
  const { rowNumbers } = table;
  return {
    file: table.file,
    rows: rows.length,
    columns: table.columns.map((column) => takeColumn(column, rows)),
    rowNumbers: Float64Array.from(rows, (row) => rowNumbers?.[row] ?? row + 1),
  };
}
