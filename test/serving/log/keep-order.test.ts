import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { newSegment } from '../../../serving/log/day-folder';
import { keepOrder } from '../../../serving/log/keep-order';
import { writeParquet } from '../../../serving/log/parquet-file';

const dir = mkdtempSync(path.join(tmpdir(), 'keep-order-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const NOW = Date.parse('2026-03-09T10:00:00Z');

test('a file that cannot be read keeps its folder as it is; others are merged, and days that are too old go', async () => {
  const folders = ['2026-01-01/a@1', '2026-03-07/a@1', '2026-03-07/b@1', '2026-03-08/a@1'];
  for (const folder of folders) {
    mkdirSync(path.join(dir, folder), { recursive: true });
    for (let at = 0; at < 3; at++) {
      const { file } = newSegment(path.join(dir, folder), 1, NOW + at);
      await writeParquet(file, [{ name: 'x', type: 'DOUBLE', data: [at] }]);
    }
  }
  const damaged = path.join(dir, '2026-03-07/a@1/0000000000.1.parquet');
  writeFileSync(damaged, 'PAR1');
  const filesIn = (folder: string): number =>
    readdirSync(path.join(dir, folder)).filter((name) => name.endsWith('.parquet')).length;
  await expect(keepOrder(dir, 30, NOW, { settled: new Set() })).rejects.toThrow();
  expect(readdirSync(dir).filter((name) => name.startsWith('2026-01'))).toEqual([]);
  expect(folders.slice(1).map(filesIn)).toEqual([4, 1, 1]);
  // It is merged, too, once somebody has moved it away.
  rmSync(damaged);
  await keepOrder(dir, 30, NOW, { settled: new Set() });
  expect(folders.slice(1).map(filesIn)).toEqual([1, 1, 1]);
});
