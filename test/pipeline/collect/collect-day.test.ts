import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readParquetColumns } from '../../../ml/dataset/parquet/read-parquet';
import { dataFiles } from '../../../ml/dataset/data-files';
import { readDuckTable } from '../../../ml/dataset/duckdb/read-duck-table';
import { SourceRecords } from '../../../pipeline/collect/record';
import { type WritingStep } from '../../../pipeline/collect/place-file';
import { Untrained } from '../../../pipeline/collect/untrained';
import { json } from '../../integrations/http-source/source-server';
import { CollectBench, pricesOf } from './collect-bench';

const DAY = '2026-03-09';
const JSON_FILES = { format: 'json' };

describe('a day of a source', () => {
  let bench: CollectBench;
  beforeEach(async () => {
    bench = new CollectBench();
    await bench.start();
  });
  afterEach(() => bench.stop());

  const answer = (rows: unknown, headers: Record<string, string> = {}): void => {
    bench.server.play = (_, response) => json(response, { items: rows }, headers);
  };

  test('becomes a file with its date, sorted by what tells rows apart, with a record beside', async () => {
    const done = await bench.collect(DAY, { source: JSON_FILES });
    expect(done).toMatchObject({
      outcome: 'new',
      file: 'data/raw/cards-2026-03-09.json',
      rows: 3,
      quarantined: 0,
      url: `${bench.server.origin}/prices?day=2026-03-09`,
    });
    expect(bench.text('data/raw/cards-2026-03-09.json')).toBe(
      '[\n{"card":"abra","day":"2026-03-09","price":12},\n{"card":"lugia","day":"2026-03-09","price":10},\n{"card":"mew","day":"2026-03-09","price":11}\n]\n',
    );
    expect(bench.names('data/raw')).toEqual(['cards-2026-03-09.json']);
    expect(bench.names('data/collected/cards')).toEqual(['.lock', '2026-03-09.json']);
    expect(JSON.parse(bench.text('data/collected/cards/2026-03-09.json'))).toMatchObject({
      sha256: done.sha256,
      rows: 3,
    });
  });

  test('is Parquet that training reads', async () => {
    await bench.collect(DAY);
    const file = path.join(bench.project, 'data/raw/cards-2026-03-09.parquet');
    expect((await readParquetColumns(file, 'file')).names).toEqual(['card', 'day', 'price']);
  });

  test('changes nothing when it is collected again', async () => {
    const first = await bench.collect(DAY);
    const before = statSync(path.join(bench.project, first.file!));
    const record = bench.text('data/collected/cards/2026-03-09.json');
    const again = await bench.collect(DAY, { by: 'another', now: '2026-03-21T06:00:00Z' });
    expect(again).toEqual({ ...first, outcome: 'unchanged' });
    expect(statSync(path.join(bench.project, first.file!)).ino).toBe(before.ino);
    expect(bench.text('data/collected/cards/2026-03-09.json')).toBe(record);
  });

  test('is the same whatever the order in which the source tells it', async () => {
    const first = await bench.collect(DAY);
    answer([...pricesOf(DAY)].reverse());
    expect(await bench.collect(DAY, { by: 'another' })).toMatchObject({
      outcome: 'unchanged',
      sha256: first.sha256,
    });
  });

  test('gets new content when the source changed its past, and what was there is kept', async () => {
    const first = await bench.collect(DAY, { source: JSON_FILES });
    answer(pricesOf(DAY).map((row) => ({ ...row, price: 99 })));
    const second = await bench.collect(DAY, {
      source: JSON_FILES,
      by: 'another',
      now: '2026-03-21T06:00:00Z',
    });
    expect(second).toMatchObject({ outcome: 'changed', collectedAt: '2026-03-21T06:00:00.000Z' });
    expect(bench.text(first.file!)).toContain('99');
    const [kept = ''] = bench.names('data/collected/cards/replaced');
    expect(kept).toBe(`cards-2026-03-09.${first.sha256!.slice(0, 12)}.json`);
    expect(JSON.parse(bench.text('data/collected/cards/2026-03-09.json'))).toMatchObject({
      replaced: [{ sha256: first.sha256, rows: 3 }],
    });
  });

  test('is asked for with what its last answer said of itself', async () => {
    answer(pricesOf(DAY), { etag: '"7"', 'last-modified': 'Mon, 09 Mar 2026 06:00:00 GMT' });
    const first = await bench.collect(DAY);
    bench.server.play = (request, response) => {
      response.writeHead(request.headers['if-none-match'] === '"7"' ? 304 : 500).end();
    };
    expect(await bench.collect(DAY, { by: 'another' })).toEqual({ ...first, outcome: 'unchanged' });
    expect(bench.server.asked.at(-1)?.headers['if-modified-since']).toBe('Mon, 09 Mar 2026 06:00:00 GMT');
  });

  test('is fetched anew when its file is gone or damaged, or other columns are wanted', async () => {
    answer(pricesOf(DAY), { etag: '"7"' });
    const first = await bench.collect(DAY);
    writeFileSync(path.join(bench.project, first.file!), 'damaged');
    const mended = await bench.collect(DAY, { by: 'another' });
    expect(mended).toMatchObject({ sha256: first.sha256, outcome: 'new' });
    await bench.collect(DAY, { source: { columns: { card: 'text', price: 'number' } } });
    expect(bench.server.asked.map(({ headers }) => headers['if-none-match'])).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('in another format takes the place of the file that was there', async () => {
    await bench.collect(DAY, { source: JSON_FILES });
    await bench.collect(DAY);
    expect(bench.names('data/raw')).toEqual(['cards-2026-03-09.parquet']);
  });

  test('that the source has nothing of is recorded, and makes no file', async () => {
    answer([]);
    expect(await bench.collect(DAY)).toMatchObject({ outcome: 'nothing', file: null, rows: 0 });
    bench.server.play = (_, response) => response.writeHead(404).end('no such day');
    await expect(bench.collect(DAY)).rejects.toThrow(/answered 404 \(no such day\), expected 200; .*no_data/);
    expect(await bench.collect(DAY, { source: { no_data: [404] }, by: 'another' })).toMatchObject({
      outcome: 'unchanged',
    });
    expect(bench.names('data/raw')).toEqual([]);
  });

  test('is not emptied by a source that has forgotten it', async () => {
    const first = await bench.collect(DAY);
    answer([]);
    await expect(bench.collect(DAY)).rejects.toThrow(
      /has no row of 2026-03-09 any more, and had 3; the file .* stays as it is/,
    );
    expect(bench.has(first.file!)).toBe(true);
  });

  test('puts rows that do not fit into quarantine, counted, and goes on', async () => {
    answer([...pricesOf(DAY), { card: 'ditto', day: DAY, price: -1 }, { card: 'mew', day: DAY, price: 11 }]);
    const done = await bench.collect(DAY, { source: { max_quarantined: 0.3 } });
    expect(done).toMatchObject({ rows: 3, quarantined: 1, repeated: 1 });
    expect(bench.text('data/collected/cards/2026-03-09.quarantine.jsonl')).toBe(
      `${JSON.stringify({ row: 3, why: 'price must be ≥ 0', value: { card: 'ditto', day: DAY, price: -1 } })}\n`,
    );
    answer(pricesOf(DAY));
    await bench.collect(DAY, { source: { max_quarantined: 0.3 } });
    expect(bench.has('data/collected/cards/2026-03-09.quarantine.jsonl')).toBe(false);
  });

  test('of a source that has changed its columns is refused, and says what is missing and what is new', async () => {
    await bench.collect('2026-03-08');
    answer(pricesOf(DAY).map(({ price, ...row }) => ({ ...row, amount: price })));
    await expect(bench.collect(DAY)).rejects.toThrow(
      /3 of 3 rows do not fit the columns, expected at most 10 %: price is missing \(3\); rows have, beside the columns: amount;/,
    );
    expect(bench.names('data/raw')).toEqual(['cards-2026-03-08.parquet']);
    expect(bench.has('data/collected/cards/2026-03-09.json')).toBe(false);
  });

  test('that the source did not listen for is refused', async () => {
    answer(pricesOf('2026-03-20'));
    await expect(bench.collect(DAY, { source: { day_column: 'day' } })).rejects.toThrow(
      /day must be 2026-03-09, the day that was asked for \(3\)/,
    );
  });

  const STEPS: WritingStep[] = ['told', 'kept', 'written', 'placed', 'tidied', 'quarantined', 'recorded'];
  test.each(STEPS)(
    'an end after the step "%s" loses nothing and leaves nothing half written',
    async (step) => {
      const rest = { then: 'train' };
      const first = await bench.collect(DAY, { source: JSON_FILES, rest, by: 'first' });
      // All steps: another content, in another format, of which a file of nobody's is in the way.
      const rows = [
        ...pricesOf(DAY).map((row) => ({ ...row, price: 50 })),
        { card: 'ditto', day: DAY, price: -1 },
      ];
      answer(rows);
      const source = { format: 'parquet', max_quarantined: 0.5 };
      writeFileSync(path.join(bench.project, 'data/raw/cards-2026-03-09.parquet'), 'somebody’s');
      const met: WritingStep[] = [];
      const attempt = (): Promise<unknown> =>
        bench.collect(DAY, {
          ...{ source, rest, by: 'second' },
          onStep: (at) => {
            met.push(at);
            if (at === step) throw new Error('the process ends here');
          },
        });
      await expect(attempt()).rejects.toThrow('the process ends here');
      expect(met.at(-1)).toBe(step);
      const there = bench.text('data/raw/cards-2026-03-09.parquet');
      expect(there === 'somebody’s' || there.startsWith('PAR1')).toBe(true);
      const done = await bench.collect(DAY, { source, rest, by: 'second' });
      expect(done).toMatchObject({ outcome: 'changed', rows: 3, quarantined: 1 });
      expect(bench.names('data/raw').filter((name) => name.endsWith('.parquet'))).toEqual([
        'cards-2026-03-09.parquet',
      ]);
      expect(bench.names('data/raw').some((name) => name.startsWith('.'))).toBe(false);
      expect(bench.names('data/collected/cards').filter((name) => name.endsWith('.tmp'))).toEqual([]);
      expect(bench.names('data/collected/.untrained')).toEqual(['cards-2026-03-09']);
      expect(bench.names('data/collected/cards/replaced').length).toBeGreaterThanOrEqual(1);
      expect(first.outcome).toBe('new');
      // Once more, by nobody who was there before.
      const settled = await bench.collect(DAY, { source, rest, by: 'third' });
      expect(settled).toEqual({ ...done, outcome: 'unchanged' });
      expect(bench.names('data/raw')).toEqual(['cards-2026-03-09.parquet']);
    },
  );
});

test.each(['json', 'parquet'])(
  'days collected as %s are one table to training, by date and number',
  async (format) => {
    const bench = new CollectBench();
    try {
      await bench.start();
      for (const day of ['2026-03-08', DAY]) await bench.collect(day, { source: { format } });
      const folder = path.join(bench.project, 'data/raw');
      const spillDir = path.join(bench.project, 'spill');
      mkdirSync(spillDir);
      const { table } = await readDuckTable(await dataFiles(folder, 'data/raw'), 'data/raw', {
        choice: { target: 'price', regression: true, encode: ['card'], drop: [], rename: {} },
        sql: "SELECT card, price, CAST(day - DATE '2026-03-01' AS INTEGER) AS age FROM data WHERE card = 'mew' ORDER BY day",
        ...{ allowMissing: true, spillDir },
      });
      expect(table.rows).toBe(2);
      const age = table.columns.find(({ name }) => name === 'age');
      expect(age?.kind === 'number' ? [...age.values] : null).toEqual([7, 8]);
    } finally {
      await bench.stop();
    }
  },
);

test('a day that was not over is asked for again the next time, and then no more', async () => {
  const bench = new CollectBench();
  try {
    await bench.start();
    const records = new SourceRecords(path.join(bench.project, 'data/collected/cards'));
    await bench.collect(DAY, { now: '2026-03-09T06:00:00Z' });
    expect(await records.open([DAY])).toEqual([DAY]);
    expect(await bench.collect(DAY, { now: '2026-03-10T06:00:00Z', by: 'another' })).toMatchObject({
      outcome: 'unchanged',
    });
    expect(await records.open([DAY])).toEqual([]);
  } finally {
    await bench.stop();
  }
});

describe('links that somebody has put into the project', () => {
  let bench: CollectBench;
  const text = 'somebody’s own';
  const link = (from: string, to: string): void => {
    const at = path.join(bench.project, from);
    mkdirSync(path.dirname(at), { recursive: true });
    rmSync(at, { recursive: true, force: true });
    symlinkSync(path.join(bench.project, to), at);
  };
  const collect = (): Promise<unknown> =>
    bench.collect(DAY, { rest: { then: 'train' } }).catch((error: unknown) => error);

  beforeEach(async () => {
    bench = new CollectBench();
    await bench.start();
    mkdirSync(path.join(bench.project, 'own'));
    writeFileSync(path.join(bench.project, 'own/cards-2026-03-09'), text);
    writeFileSync(path.join(bench.project, 'own/file'), text);
  });
  afterEach(async () => {
    expect([bench.text('own/cards-2026-03-09'), bench.text('own/file'), bench.names('own').length]).toEqual([
      text,
      text,
      2,
    ]);
    await bench.stop();
  });

  test.each([
    ['data/collected/cards/.lock', 'own/file'],
    ['data/collected/.untrained', 'own'],
    ['data/collected/.untrained/cards-2026-03-09', 'own/file'],
    ['data/collected/cards/2026-03-09.json', 'own/file'],
    ['data/collected/cards/2026-03-09.quarantine.jsonl', 'own/file'],
    ['data/raw/cards-2026-03-09.parquet', 'own/file'],
  ])('%s to %s write and remove nothing there', async (from, to) => {
    link(from, to);
    await collect();
    const untrained = new Untrained(path.join(bench.project, 'data/collected'));
    await untrained
      .marks()
      .then((marks) => untrained.clear(marks))
      .catch((error: unknown) => expect(String(error)).toContain('is no folder'));
  });
});
