import { copyFileSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { LARGE_ROWS, listSegments, manifestOf, newSegment } from '../../../serving/log/day-folder';
import { mergeSegments } from '../../../serving/log/merge-segments';
import { readParquet, writeParquet } from '../../../serving/log/parquet-file';
import { snapshotOf } from '../../../serving/log/snapshot';

const NOW = Date.parse('2026-03-09T10:00:00Z');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'merge-segments-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function segment(ids: readonly string[], at = NOW): Promise<string> {
  const { file } = newSegment(folder, ids.length, at);
  await writeParquet(file, [{ name: 'request_id', type: 'STRING', data: [...ids] }]);
  return file;
}

async function ids(): Promise<string[]> {
  const found: string[] = [];
  for (const { file } of await listSegments(folder)) {
    found.push(...[...((await readParquet(file)).get('request_id')?.data ?? [])].map(String));
  }
  return found.sort();
}

test('files of like size become one when there are many of them', async () => {
  const expected = [];
  for (let index = 0; index < 40; index += 1) {
    await segment([`r${index}`], NOW + index);
    expected.push(`r${index}`);
    await mergeSegments(folder, false, NOW);
  }
  expect((await listSegments(folder)).map(({ rows }) => rows).sort()).toEqual([
    ...Array<number>(8).fill(1),
    32,
  ]);
  expect(await ids()).toEqual(expected.sort());
});

test('what a process left that died while merging is seen once, and cleared away', async () => {
  const sources = [await segment(['a']), await segment(['b'])];
  const copies = sources.map((file) => `${file}.copy`);
  sources.forEach((file, index) => copyFileSync(file, copies[index]!));
  await mergeSegments(folder, true, NOW);
  const [merged] = await listSegments(folder);
  // As if it had died before it removed the first source, or any.
  sources.forEach((file, index) => copyFileSync(copies[index]!, file));
  writeFileSync(manifestOf(merged!), sources.map((file) => path.basename(file)).join('\n'));
  expect(await ids()).toEqual(['a', 'b']);
  await mergeSegments(folder, true, NOW);
  expect(readdirSync(folder).filter((name) => !name.endsWith('.copy'))).toEqual([
    path.basename(merged!.file),
  ]);
});

test('a note about a file that never came to be removes nothing', async () => {
  const sources = [await segment(['a']), await segment(['b'])];
  writeFileSync(
    manifestOf(newSegment(folder, 2, NOW)),
    sources.map((file) => path.basename(file)).join('\n'),
  );
  expect(await ids()).toEqual(['a', 'b']);
  await mergeSegments(folder, false, NOW);
  expect(await ids()).toEqual(['a', 'b']);
});

test('a note names files of its own folder only', async () => {
  const outside = path.join(folder, '..', `${path.basename(folder)}-outside`);
  writeFileSync(outside, 'mine');
  const there = await segment(['a']);
  writeFileSync(
    manifestOf({ file: there, rows: 1 }),
    `../${path.basename(outside)}\n../x/0000.1.parquet\n${path.basename(folder)}`,
  );
  await mergeSegments(folder, false, NOW);
  expect(await ids()).toEqual(['a']);
  rmSync(outside);
});

test('files half written go when nobody can still be writing them', async () => {
  const young = path.join(folder, '.young.1.parquet.aa.tmp');
  const old = path.join(folder, '.old.1.parquet.aa.tmp');
  for (const file of [young, old]) writeFileSync(file, 'half');
  utimesSync(young, NOW / 1000, NOW / 1000);
  utimesSync(old, NOW / 1000 - 7200, NOW / 1000 - 7200);
  await mergeSegments(folder, false, NOW);
  expect(readdirSync(folder)).toEqual([path.basename(young)]);
});

test('columns that only some files have are missing in the rows of the others', async () => {
  const columns = [
    [{ name: 'x', type: 'DOUBLE' as const, data: [1, null] }],
    [{ name: 'y', type: 'STRING' as const, data: ['a'] }],
  ];
  for (const [index, some] of columns.entries())
    await writeParquet(newSegment(folder, 2 - index, NOW + index).file, some);
  await mergeSegments(folder, true, NOW);
  const [merged, ...others] = await listSegments(folder);
  expect(others).toEqual([]);
  const found = await readParquet(merged!.file);
  expect([...found.values()].map(({ name, data }) => [name, [...data]])).toEqual([
    ['x', [1, null, null]],
    ['y', [null, null, 'a']],
  ]);
});

test('a reader that began before a merge sees each row once', async () => {
  for (let index = 0; index < 5; index += 1) await segment([`r${index}`], NOW + index);
  const found = [];
  for await (const { handle } of snapshotOf(folder)) {
    await mergeSegments(folder, true, NOW);
    found.push(...((await readParquet(handle)).get('request_id')?.data ?? []));
  }
  expect(found).toEqual(['r0', 'r1', 'r2', 'r3', 'r4']);
});

test('merging keeps the multiset of rows, whatever the sizes', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 70 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.boolean(), async (counts, over) => {
      rmSync(folder, { recursive: true, force: true });
      folder = mkdtempSync(path.join(tmpdir(), 'merge-segments-'));
      const expected: string[] = [];
      for (const [index, count] of counts.entries()) {
        const own = Array.from({ length: count }, (_, row) => `${index}-${row}`);
        expected.push(...own);
        await segment(own, NOW + index);
      }
      await mergeSegments(folder, over, NOW);
      expect(await ids()).toEqual(expected.sort());
      if (over) expect(await listSegments(folder)).toHaveLength(1);
    }),
    { numRuns: 25 },
  );
});

test('a large file is left as it is', async () => {
  const large = await segment(Array.from({ length: LARGE_ROWS }, (_, row) => `r${row}`));
  await segment(['small'], NOW + 1);
  await mergeSegments(folder, true, NOW);
  expect((await listSegments(folder)).map(({ file }) => file)).toContain(large);
});
