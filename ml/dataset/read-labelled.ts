import { RetrainError } from '../../contracts/errors';
import { type TableSchema } from '../../contracts/stage';
import { type LabelledMatrix } from './matrix';
import { readTable } from './read-table';

/**
 * Reads a table that preprocess wrote: float32 features in the schema's order, labels as class numbers. NaN is
 * a missing value.
 *
 * @throws RetrainError DATA_INVALID when the file does not fit the schema.
 */
export async function readLabelled(path: string, file: string, schema: TableSchema): Promise<LabelledMatrix> {
  const table = await readTable(path, {
    file,
    target: schema.target,
    drop: [],
    rename: {},
    allowMissing: true,
  });
  if (table.features.join('\n') !== schema.features.join('\n')) {
    throw new RetrainError(
      'DATA_INVALID',
      `${file}:1: the features are ${table.features.join(', ')}, expected ${schema.features.join(', ')} as in the schema`,
    );
  }
  const rows = table.labels.length;
  const values = new Float32Array(new SharedArrayBuffer(rows * table.columns.length * 4));
  for (const [f, column] of table.columns.entries()) values.set(column, f * rows);
  const numberOf = new Map(schema.classes.map((name, number) => [name, number]));
  const labels = Uint32Array.from(table.labels, (label, row) => {
    const number = numberOf.get(label);
    if (number !== undefined) return number;
    throw new RetrainError(
      'DATA_INVALID',
      `${file}:${row + 2}: "${label}" is not among the classes of the schema`,
    );
  });
  return { values, rows, features: table.columns.length, labels, classes: schema.classes.length };
}
