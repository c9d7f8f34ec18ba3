import { type RawTable } from './raw-table';

/**
 * Row numbers of the first of equal rows, rising.
 *
 * @param names Columns in which rows are compared; absent values are equal to each other.
 */
export function distinctRows(table: RawTable, names: readonly string[]): Uint32Array {
  const columns = table.columns.filter(({ name }) => names.includes(name));
  const row = new Float64Array(columns.length);
  const bytes = Buffer.from(row.buffer);
  const seen = new Set<string>();
  return Uint32Array.from({ length: table.rows }, (_, i) => i).filter((i) => {
    for (const [f, column] of columns.entries()) {
      // Adding 0 makes -0 and 0 the same bytes.
      row[f] = column.kind === 'number' ? (column.values[i] ?? 0) + 0 : (column.codes[i] ?? -1);
    }
    const key = bytes.toString('latin1');
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
