import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { InputColumn } from '../../contracts/stage';
import { fitInputs } from '../../ml/dataset/prepare';
import { columnOf, takeRows, type RawTable } from '../../ml/dataset/raw-table';
import { readCsvTable } from '../../ml/dataset/read-csv-table';

export const PENGUINS = join(__dirname, '../../examples/penguins/data/penguins.csv');

export const MASS = 'Body Mass (g)';

/**
 * The 342 penguins that were weighed, and what is done to their raw columns: texts encoded in both ways, numbers
 * clipped and imputed, one column of each kind with missing values.
 */
export async function penguins(): Promise<{ table: RawTable; inputs: InputColumn[] }> {
  const choice = { target: 'Species', drop: [], rename: {}, encode: ['Island', 'Sex'] };
  const { table: whole } = await readCsvTable(
    [{ source: createReadStream(PENGUINS), file: PENGUINS }],
    PENGUINS,
    { choice, allowMissing: true },
  );
  const mass = columnOf(whole, MASS);
  const rows = Uint32Array.from({ length: whole.rows }, (_, row) => row).filter(
    (row) => mass.kind === 'number' && !Number.isNaN(mass.values[row]),
  );
  const table = takeRows(whole, rows);
  // A number is missing in no weighed bird; here it is in every tenth.
  const depth = columnOf(table, 'Beak Depth (mm)');
  if (depth.kind === 'number') for (let row = 0; row < table.rows; row += 10) depth.values[row] = Number.NaN;
  const names = table.columns.map(({ name }) => name).filter((name) => name !== 'Species' && name !== MASS);
  const inputs = fitInputs(
    table,
    names,
    Uint32Array.from({ length: 200 }, (_, row) => row),
    {
      clip: { 'Flipper Length (mm)': { max: 220 } },
      impute: 'median',
      impute_value: 0,
      encode: { Island: 'one-hot', Sex: 'ordinal' },
    },
  );
  return { table, inputs };
}
