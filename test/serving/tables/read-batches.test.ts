import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dataFiles } from '../../../ml/dataset/data-files';
import { withDuckDb } from '../../../ml/dataset/duckdb/session';
import { type ModelField } from '../../../serving/model/served-model';
import { matchColumns } from '../../../serving/tables/match-columns';
import { type TableBatch } from '../../../serving/tables/table-batch';
import { NotTyped, openSource, readBatches } from '../../../serving/tables/table-source';

const ROWS = 150_000;

describe('reading a table in batches', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(path.join(tmpdir(), 'retrain-batches-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  const field: ModelField = { name: 'x', type: 'number', optional: false, nullable: true, levels: null };

  async function read(
    typed: boolean,
    change: (lines: string[]) => void,
    visit: (batch: TableBatch) => void,
  ): Promise<void> {
    const lines = ['x,y', ...Array.from({ length: ROWS }, (_, row) => `${row},${row % 7}`)];
    change(lines);
    const file = path.join(folder, 'table.csv');
    writeFileSync(file, `${lines.join('\n')}\n`);
    const files = await dataFiles(file, 'table.csv');
    await withDuckDb({ spillDir: folder }, { anyQuery: false, paths: [file] }, async (connection) => {
      const source = await openSource(connection, files, 'table.csv', {});
      const match = matchColumns(source.names, [field], 'table.csv');
      for await (const batch of readBatches(source, { match, kept: ['y'], typed, inUse: 2 })) visit(batch);
    });
  }

  test.each([true, false])(
    'gives every row in its order, and leaves the batch before alone (typed: %s)',
    async (typed) => {
      let row = 0;
      let last: Float64Array | undefined;
      await read(
        typed,
        () => undefined,
        ({ rows, columns: [column] }) => {
          if (column?.kind !== 'number') throw new Error('no numbers');
          if (last !== undefined) expect(last[0]).toBe(row - last.length);
          expect(column.values).toHaveLength(rows);
          for (const value of column.values)
            if (value !== row++) throw new Error(`${value} in row ${row - 1}`);
          last = column.values;
        },
      );
      expect(row).toBe(ROWS);
    },
  );

  test.each([10, ROWS - 3, ROWS])(
    'never takes a table as whole whose line %i cannot be read',
    async (line) => {
      const longer = (lines: string[]): void => void (lines[line] += ',1');
      await expect(read(true, longer, () => undefined)).rejects.toThrow(NotTyped);
      await expect(read(false, longer, () => undefined)).rejects.toMatchObject({ code: 'DATA_INVALID' });
      const word = (lines: string[]): void => void (lines[line] = 'true,1');
      await expect(read(true, word, () => undefined)).rejects.toThrow(NotTyped);
      let rows = 0;
      await read(false, word, (batch) => (rows += batch.rows));
      expect(rows).toBe(ROWS);
    },
  );
});
