import { execFileSync } from 'node:child_process';
import {
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  closeSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { RetrainError } from '../../../contracts/errors';
import { CollectParams } from '../../../contracts/collect-params';
import { type CollectedDay } from '../../../contracts/collect';
import { collectDay } from '../../../pipeline/collect/collect-day';
import { collectSources } from '../../../pipeline/collect/collect-sources';
import { parseParams } from '../../../contracts/parse-params';
import { CollectBench, pricesOf } from './collect-bench';
import { DIGEST, leaves, type Play, WorkerEnds } from './fake-containers';

const DAY = '2026-03-09';
const CSV = 'card,day,price\nlugia,2026-03-09,10\nmew,2026-03-09,11\nabra,2026-03-09,12\n';

describe('a day of a source that is a container', () => {
  const bench = new CollectBench();
  beforeAll(() => bench.start());
  afterAll(() => bench.stop());

  let names = 0;
  let name = '';
  beforeEach(() => {
    // A source of its own for each test.
    name = `orders-${names++}`;
    bench.containers.env = {};
    bench.containers.digest = DIGEST;
    bench.containers.started.length = 0;
    bench.containers.asked.length = 0;
  });

  interface Given {
    source?: Record<string, unknown>;
    rest?: Record<string, unknown>;
    day?: string;
    by?: string;
  }

  function collect(play: Play, { source, rest, day = DAY, by = 'test' }: Given = {}): Promise<CollectedDay> {
    bench.containers.play = play;
    const collect = CollectParams.parse({
      sources: {
        [name]: {
          image: 'retrain/orders:1',
          columns: { card: 'text', day: 'date', price: { type: 'number', min: 0 } },
          unique: ['card'],
          format: 'json',
          ...source,
        },
      },
      ...rest,
    });
    return collectDay(
      { project: bench.project, client: bench.client, containers: bench.containers },
      { name, source: collect.sources[name]!, collect, day, now: new Date('2026-03-20T06:00:00Z'), by },
    );
  }
  const refused = (play: Play, given: Given = {}): Promise<string> =>
    collect(play, given).then(
      ({ outcome }) => outcome,
      (error: unknown) => (error instanceof RetrainError ? `${error.code} ${error.message}` : String(error)),
    );
  const file = (): string => `data/raw/${name}-2026-03-09.json`;
  const nothingLeft = (): void => {
    expect(bench.has(file())).toBe(false);
    expect(bench.has(`data/collected/${name}/2026-03-09.json`)).toBe(false);
    expect(bench.has('container')).toBe(false);
  };
  const ROWS =
    '[\n{"card":"abra","day":"2026-03-09","price":12},\n{"card":"lugia","day":"2026-03-09","price":10},\n{"card":"mew","day":"2026-03-09","price":11}\n]\n';

  test.each<[string, Play]>([
    ['CSV', leaves({ 'rows.csv': CSV })],
    [
      'CSV, in two files',
      leaves({ 'a.csv': CSV.split('mew')[0]!, 'b.csv': `card,day,price\nmew${CSV.split('mew')[1]!}` }),
    ],
    [
      'JSON lines',
      leaves({
        'rows.jsonl': pricesOf(DAY)
          .map((row) => JSON.stringify(row))
          .join('\n'),
      }),
    ],
    ['JSON', leaves({ 'rows.json': JSON.stringify(pricesOf(DAY)), 'metrics.json': '{"rows":3}' })],
    [
      'Parquet',
      (out) => {
        const rows = pricesOf(DAY);
        const bytes = parquetWriteBuffer({
          columnData: [
            { name: 'card', data: rows.map(({ card }) => card), type: 'STRING' },
            { name: 'day', data: rows.map(() => new Date(`${DAY}T00:00:00Z`)), type: 'TIMESTAMP' },
            { name: 'price', data: rows.map(({ price }) => BigInt(price)), type: 'INT64' },
          ],
        });
        writeFileSync(path.join(out, 'rows.parquet'), new Uint8Array(bytes));
      },
    ],
  ])('becomes the same file from %s', async (_, play) => {
    expect(await collect(play)).toMatchObject({ outcome: 'new', rows: 3, url: null });
    expect(bench.text(file())).toBe(ROWS);
    expect(bench.has('container')).toBe(false);
  });

  test('is told what ran: the image by its digest, the command, names of variables and no value', async () => {
    bench.containers.env = { ORDERS_DSN: 'postgres://u:tr0ub4dor@db/orders' };
    const source = { command: ['sh', '-c', 'export'], env: ['ORDERS_DSN'], network: 'shop', memory: '512m' };
    const done = await collect(leaves({ 'rows.csv': CSV }), { source });
    const container = {
      image: 'retrain/orders:1',
      digest: DIGEST,
      command: ['sh', '-c', 'export'],
      env: ['ORDERS_DSN'],
      network: 'shop',
    };
    expect(done.container).toEqual(container);
    const record = bench.text(`data/collected/${name}/2026-03-09.json`);
    expect(JSON.parse(record)).toMatchObject({ container, rows: 3, sha256: done.sha256 });
    expect(record).not.toContain('tr0ub4dor');
    expect(bench.containers.asked[0]).toMatchObject({
      who: `collect.sources.${name}`,
      options: { network: 'shop', memory: '512m', disk: '64m', timeout: '30m' },
    });
  });

  test('is asked for by its params.json and its variables', async () => {
    let seen: Record<string, unknown> = {};
    await collect(
      (out, run, params) => {
        seen = { ...params, variables: run.variables };
        return leaves({ 'rows.csv': CSV })(out, run, params);
      },
      { source: { params: { table: 'orders' } }, rest: { timezone: 'Europe/Berlin' } },
    );
    expect(seen).toEqual({
      ...{ source: name, day: DAY, from: DAY, to: '2026-03-10', timezone: 'Europe/Berlin', watermark: '' },
      ...{ columns: ['card', 'day', 'price'], params: { table: 'orders' } },
      variables: {
        ...{ RETRAIN_SOURCE: name, RETRAIN_DAY: DAY, RETRAIN_FROM: DAY, RETRAIN_TO: '2026-03-10' },
        ...{ RETRAIN_TIMEZONE: 'Europe/Berlin', RETRAIN_WATERMARK: '' },
      },
    });
  });

  test('changes nothing the second time, and keeps what was there when it says something else', async () => {
    const first = await collect(leaves({ 'rows.csv': CSV }));
    const { ino } = statSync(path.join(bench.project, file()));
    const again = await collect(leaves({ 'rows.csv': CSV }), { by: 'another' });
    expect(again).toEqual({ ...first, outcome: 'unchanged' });
    expect(statSync(path.join(bench.project, file())).ino).toBe(ino);
    const changed = await collect(leaves({ 'rows.csv': CSV.replace('10', '99') }), { by: 'another' });
    expect(changed.outcome).toBe('changed');
    expect(bench.names(`data/collected/${name}/replaced`)).toHaveLength(1);
    // Of a day without rows it takes nothing away.
    expect(await refused(leaves({ 'rows.csv': 'card,day,price\n' }))).toMatch(
      /SOURCE_INVALID source orders-\d+ has no row of 2026-03-09 any more, and had 3; the file .* stays/,
    );
  });

  test.each([{ 'rows.csv': '' }, { 'rows.csv': 'card,day,price\n' }, { 'r.json': '[]' }, { 'r.jsonl': '' }])(
    'without rows is one of which there is nothing: %j',
    async (files) => {
      expect(await collect(leaves(files as unknown as Record<string, string>))).toMatchObject({
        outcome: 'nothing',
        file: null,
      });
    },
  );

  test('knows its watermark, and leaves out what an earlier day has', async () => {
    const source = { watermark: { column: 'price' } };
    await collect(leaves({ 'rows.csv': CSV }), { source, day: '2026-03-08' });
    let given = '';
    const done = await collect(
      (out, run, params) => {
        given = run.variables['RETRAIN_WATERMARK'] ?? '';
        return leaves({ 'rows.csv': `${CSV}ditto,2026-03-09,13\n` })(out, run, params);
      },
      { source },
    );
    expect([given, done.rows, done.repeated, done.watermark]).toEqual(['12', 1, 3, '13']);
  });

  test('puts rows that do not fit into quarantine, and what it was given is hidden there', async () => {
    bench.containers.env = { ORDERS_DSN: 'tr0ub4dor"&3' };
    const rows = [
      ...pricesOf(DAY),
      { card: 'x', day: DAY, price: -1, 'tr0ub4dor"&3': 1, said: 'tr0ub4dor"&3' },
    ];
    const done = await collect(leaves({ 'rows.json': JSON.stringify(rows) }), {
      source: { env: ['ORDERS_DSN'], max_quarantined: 0.5 },
    });
    expect(done).toMatchObject({ rows: 3, quarantined: 1, newColumns: ['[secret]', 'said'] });
    const quarantine = bench.text(`data/collected/${name}/2026-03-09.quarantine.jsonl`);
    expect(quarantine).toContain('price must be ≥ 0');
    expect(quarantine).not.toContain('tr0ub4dor');
    const all = await refused(leaves({ 'rows.json': '[{"tr0ub4dor\\"&3":1}]' }), {
      source: { env: ['ORDERS_DSN'] },
    });
    expect(all).toMatch(/1 of 1 rows do not fit the columns.*beside the columns: \[secret\]/);
  });

  test.each<[string, Play, RegExp, object?]>([
    [
      'no file',
      () => undefined,
      /SOURCE_INVALID .* ended well and left no file in \/stage\/out, expected rows/,
    ],
    [
      'another kind of file',
      leaves({ 'rows.txt': 'x' }),
      /left out\/rows.txt, expected files of rows that end in .csv/,
    ],
    [
      'a folder',
      (out) => mkdirSync(path.join(out, 'rows.csv')),
      /STAGE_UNSAFE .* left out\/rows.csv, which is no file/,
    ],
    [
      'a symbolic link',
      (out) => symlinkSync('/etc/passwd', path.join(out, 'rows.csv')),
      /STAGE_UNSAFE .* left out\/rows.csv, which is no file; it is not read/,
    ],
    [
      'a named pipe',
      (out) => void execFileSync('mkfifo', [path.join(out, 'rows.csv')]),
      /STAGE_UNSAFE .* left out\/rows.csv, which is no file/,
    ],
    [
      '2 GB',
      (out) => {
        const opened = openSync(path.join(out, 'rows.csv'), 'w');
        ftruncateSync(opened, 2 * 2 ** 30);
        closeSync(opened);
      },
      /left 2147483648 bytes in \/stage\/out, expected at most 33554432 \(max_bytes\).*nothing was read/,
    ],
    ['too many rows', leaves({ 'rows.csv': CSV }), /more than 2 rows \(max_rows\)/, { max_rows: 2 }],
    [
      'another schema',
      leaves({ 'rows.csv': 'id,total\n1,2\n' }),
      /card is missing \(1\); .*beside the columns: id, total/,
    ],
    [
      'half a row of CSV',
      leaves({ 'rows.csv': CSV.slice(0, -4) }),
      /rows.csv:4 has 2 cells, expected 3.*cut off/,
    ],
    ['an open quote', leaves({ 'rows.csv': `${CSV}"x,2` }), /rows.csv:5: .*quote that is never closed/],
    ['a column twice', leaves({ 'rows.csv': 'card,card\n' }), /has the column "card" twice/],
    ['half a JSON', leaves({ 'rows.json': '[{"card":"me' }), /rows.json is no JSON: it is cut off/],
    ['a JSON that is no list', leaves({ 'rows.json': '{"rows":[]}' }), /rows.json is no list/],
    [
      'half a line',
      leaves({ 'rows.jsonl': '{"card":"mew"}\n{"ca' }),
      /rows.jsonl:2 is no JSON.*one row a line/,
    ],
    ['brackets', leaves({ 'rows.jsonl': '['.repeat(2000) }), /nested deeper than 64 levels/],
    [
      'many brackets',
      leaves({ 'rows.jsonl': '[]'.repeat(9001) }),
      /more than 9000 lists and mappings/,
      { max_rows: 1000 },
    ],
    [
      'bytes that are no text',
      (out) => writeFileSync(path.join(out, 'rows.jsonl'), Buffer.from([0x22, 0xff, 0x22])),
      /is not UTF-8/,
    ],
    [
      'half a Parquet',
      leaves({ 'rows.parquet': 'PAR1....' }),
      /rows.parquet cannot be read as Parquet.*cut off/,
    ],
    [
      'its own error',
      leaves({ 'rows.csv': CSV, 'error.json': '{"code":"DATA_NOT_FOUND","message":"no drop for this day"}' }),
      /DATA_NOT_FOUND no drop for this day/,
    ],
  ])('that leaves %s is refused, and nothing is written', async (_, play, words, source = {}) => {
    expect(await refused(play, { source: { ...source } })).toMatch(words);
    nothingLeft();
  });

  test('that unpacks to more than may be is refused before it does', async () => {
    const play: Play = (out) => {
      const data = new Array<string>(20_000).fill('x'.repeat(5000));
      const bytes = parquetWriteBuffer({ columnData: [{ name: 'card', data, type: 'STRING' }] });
      writeFileSync(path.join(out, 'rows.parquet'), new Uint8Array(bytes));
    };
    expect(await refused(play)).toMatch(/comes to 100000000 bytes unpacked, expected at most 33554432/);
    nothingLeft();
  });

  test('that ends badly, half of its rows left, writes nothing, and the next attempt does', async () => {
    const fails: Play = (out, run, params) => {
      void leaves({ 'rows.csv': CSV.slice(0, 30) })(out, run, params);
      throw new RetrainError('STAGE_FAILED', 'ended with exit code 1');
    };
    expect(await refused(fails)).toBe('STAGE_FAILED ended with exit code 1');
    nothingLeft();
    expect(await collect(leaves({ 'rows.csv': CSV }))).toMatchObject({ outcome: 'new', rows: 3 });
  });

  test('whose worker ends is gone on with, by the image that it was started with', async () => {
    const ends: Play = () => {
      throw new WorkerEnds('killed');
    };
    expect(await refused(ends)).toContain('killed');
    expect(existsSync(path.join(bench.project, 'container/asked.json'))).toBe(true);
    // The tag has moved meanwhile.
    bench.containers.digest = `sha256:${'b'.repeat(64)}`;
    const done = await collect(leaves({ 'rows.csv': CSV }));
    expect(bench.containers.started).toHaveLength(1);
    expect(done).toMatchObject({ outcome: 'new', container: { digest: DIGEST } });
    expect(bench.has('container')).toBe(false);
  });

  test('whose worker ends is done again when something else is asked by now', async () => {
    const ends: Play = () => {
      throw new WorkerEnds('killed');
    };
    await refused(ends);
    const done = await collect(leaves({ 'rows.csv': CSV }), { source: { command: ['another'] } });
    expect(bench.containers.started.map(({ options }) => options.command)).toEqual([[], ['another']]);
    expect(done.container?.command).toEqual(['another']);
  });
});

test('a source without an engine fails, and others are collected all the same', async () => {
  const bench = new CollectBench();
  try {
    await bench.start();
    bench.containers.digestOf = () =>
      Promise.reject(new RetrainError('DOCKER_UNREACHABLE', 'no Docker engine answers'));
    const sources = {
      orders: { image: 'retrain/orders:1', columns: { a: 'text' }, start: '2026-03-01' },
      // As a spec has it: defaults filled in.
      ...bench.params({ start: '2026-03-19' }).sources,
    };
    const raw = {
      experiment: 'e',
      model: 'm',
      data: { path: 'data/raw', target: 'price' },
      collect: { sources },
    };
    const params = parseParams(raw, 'params.yaml');
    const deps = { project: bench.project, client: bench.client, containers: bench.containers };
    const now = new Date('2026-03-20T06:00:00Z');
    const found = await collectSources(deps, params, 'params.yaml', {}, now);
    // Once, and not for each of its days.
    expect(found.failed).toEqual([
      {
        source: 'orders',
        day: '2026-03-01',
        code: 'DOCKER_UNREACHABLE',
        message: 'no Docker engine answers',
      },
    ]);
    expect(found.days.map(({ source, day }) => [source, day])).toEqual([
      ['cards', '2026-03-19'],
      ['cards', '2026-03-20'],
    ]);
  } finally {
    await bench.stop();
  }
});
