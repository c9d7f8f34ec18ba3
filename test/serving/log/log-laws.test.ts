import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { readParquet, writeParquet } from '../../../serving/log/parquet-file';
import { isSampled } from '../../../serving/log/sampled';
import { predictionColumns } from '../../../serving/log/segment-columns';
import { RowBuffer } from '../../../serving/log/row-buffer';
import { column, logged, modelOf } from './logged';

const dir = mkdtempSync(path.join(tmpdir(), 'log-laws-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const text = fc.option(fc.string({ unit: 'binary', maxLength: 20 }), { nil: null });
const number = fc.option(fc.double({ noNaN: true }), { nil: null });
const row = fc.record({
  n: number,
  t: text,
  right: fc.double({ min: 0, max: 1, noNaN: true }),
  code: fc.nat(2),
});
const request = fc.record({
  id: fc.string({ unit: 'binary', maxLength: 30 }),
  rows: fc.array(row, { minLength: 1, maxLength: 4 }),
});

test('what is gathered and written is what is read', async () => {
  const classes = ['a', 'b', 'ü'];
  const model = modelOf(classes);
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 300 }), async (requests) => {
      const predictions = requests.map(({ id, rows }) =>
        logged({
          model,
          requestId: id,
          columns: [
            column(
              'n',
              rows.map(({ n }) => n),
              'number',
            ),
            column(
              't',
              rows.map(({ t }) => t),
              'text',
            ),
          ],
          answers: rows.map(({ code, right }) => [classes[code] ?? '', right] as const),
        }),
      );
      const buffer = new RowBuffer(
        model,
        'm',
        '1',
        '2026-03-09',
        predictions[0]?.batch.columns ?? [],
        new Set(),
      );
      for (const prediction of predictions) buffer.append(prediction);
      const file = path.join(dir, 'one.parquet');
      await writeParquet(file, predictionColumns(buffer.take()));
      const found = await readParquet(file);
      const cells = (name: string): unknown[] => [...(found.get(name)?.data ?? [])];
      const all = requests.flatMap(({ id, rows }) => rows.map((one, index) => ({ ...one, id, index })));
      expect(cells('request_id')).toEqual(all.map(({ id }) => id));
      expect(cells('row')).toEqual(all.map(({ index }) => index));
      expect(cells('feature_n')).toEqual(all.map(({ n }) => n));
      expect(cells('feature_t')).toEqual(all.map(({ t }) => t));
      expect(cells('prediction')).toEqual(all.map(({ code }) => classes[code]));
      expect(cells('probability')).toEqual(all.map(({ right }) => right));
    }),
    { numRuns: 60 },
  );
});

test('a larger share keeps all that a smaller one keeps', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (id, a, b) => {
        if (isSampled(id, Math.min(a, b))) expect(isSampled(id, Math.max(a, b))).toBe(true);
      },
    ),
  );
});
