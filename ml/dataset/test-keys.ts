import { type ParquetColumn } from './parquet/format';
import { readParquet } from './parquet/read-parquet';
import { writeParquet } from './parquet/write-parquet';
import { columnFrom } from './table-artifact';
import { type Column, type RawTable, takeNumbers, textAt } from './raw-table';

/**
 * Writes what names held-out rows beyond the test table: columns that are no features (ids, groups), and whole numbers
 * that the test table's float32 cannot tell apart. The target is always there, so the file
 * is, too: dvc misses an output that is not.
 *
 * @param features Their names; the test table has them, as float32.
 * @param rows Which rows, in the order of the test table.
 */
export function writeTestKeys(
  path: string,
  table: RawTable,
  features: readonly string[],
  rows: Uint32Array,
): void {
  const columns = table.columns.flatMap((column): ParquetColumn[] => {
    const { name } = column;
    if (column.kind === 'number') {
      const values = takeNumbers(column.values, rows);
      return !features.includes(name) || needMoreThanFloat32(values)
        ? [{ name, type: 'double', values }]
        : [];
    }
    if (features.includes(name)) return [];
    return [{ name, type: 'text', values: Array.from(rows, (row) => textAt(column, row) ?? null) }];
  });
  if (columns.length > 0) writeParquet(path, columns);
}

/** A loop: a call per value takes several times as long. */
function needMoreThanFloat32(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Math.fround(value) !== value && Number.isInteger(value)) return true;
  }
  return false;
}

/** The columns that `writeTestKeys` wrote. */
export function readTestKeys(path: string): Column[] {
  return readParquet(path).map(columnFrom);
}
