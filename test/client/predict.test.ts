import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { parse, stringify } from 'yaml';
import { readParquet } from '../../ml/dataset/parquet/read-parquet';
import { type PenguinModel, penguinModel } from '../serving/model/model-folder';
import { CLI, Workbench } from './workbench';

jest.setTimeout(120_000);

const NAMES = ['Island', 'Beak Length (mm)', 'Beak Depth (mm)', 'Flipper Length (mm)', 'Sex'];

describe('retrain predict', () => {
  let bench: Workbench;
  let made: PenguinModel;

  beforeAll(async () => {
    bench = new Workbench();
    made = await penguinModel('classification');
    cpSync(made.dir, bench.path('model'), { recursive: true });
    const cell = (value: string | number | null | undefined): string => String(value ?? 'NA');
    const lines = made.records.map((record, row) =>
      [`bird "${row}"`, ...NAMES.map((name) => cell(record[name]))]
        .map((text) => `"${text.replaceAll('"', '""')}"`)
        .join(','),
    );
    writeFileSync(bench.path('birds.csv'), [['id', ...NAMES].join(','), ...lines, ''].join('\n'));
    writeFileSync(bench.path('birds.csv.gz'), gzipSync(readFileSync(bench.path('birds.csv'))));
    const objects = made.records.map((record, row) => JSON.stringify({ id: `bird "${row}"`, ...record }));
    writeFileSync(bench.path('birds.jsonl'), `${objects.join('\n')}\n`);
  });

  afterAll(() => {
    bench.remove();
    rmSync(path.dirname(made.dir), { recursive: true });
  });

  // No server is there: 127.0.0.1:1 answers nobody.
  const predict = (...args: string[]) =>
    bench.cli(['predict', ...args], { MLFLOW_TRACKING_URI: 'http://127.0.0.1:1', NO_COLOR: '1' });

  const columnsOf = (file: string): Map<string, ArrayLike<unknown>> =>
    new Map(readParquet(bench.path(file)).map(({ name, values }) => [name, values]));

  test.each(['birds.csv', 'birds.csv.gz', 'birds.jsonl'])(
    '%s: answers in the rows’ order, equal to the last bit, beside the columns that are kept',
    async (data) => {
      const done = await predict(
        data,
        '--model',
        'model',
        '--out',
        'said.parquet',
        '--columns',
        'id,Sex',
        '--json',
      );
      expect(done).toMatchObject({ code: 0, stderr: '' });
      expect(JSON.parse(done.stdout)).toMatchObject({
        rows: made.records.length,
        engine: 'forest',
        modelVersion: null,
      });
      const said = columnsOf('said.parquet');
      expect([...said.keys()]).toEqual([
        ...['id', 'Sex', 'prediction', 'probability'],
        ...['probability_Adelie', 'probability_Chinstrap', 'probability_Gentoo'].map(
          (name) => expect.stringContaining(name.slice(0, 18)) as string,
        ),
      ]);
      expect(said.get('id')?.[7]).toBe('bird "7"');
      const first = [...said.keys()][4] ?? '';
      const ours = Float64Array.from(made.records, (_, row) => made.predictions[3 * row]!);
      expect(said.get(first)).toEqual(ours);
    },
  );

  test('says the same in CSV and JSON lines, and takes what it wrote', async () => {
    await predict('birds.csv', '--model', 'model', '--out', 'all.csv', '--columns', 'all');
    await predict('birds.csv', '--model', 'model', '--out', 'all.jsonl', '--columns', 'all');
    await predict('birds.csv', '--model', 'model', '--out', 'all.parquet', '--columns', 'all');
    const outs = [];
    for (const [i, data] of ['all.csv', 'all.jsonl', 'all.parquet'].entries()) {
      expect(await predict(data, '--model', 'model', '--out', `again-${i}.csv`)).toMatchObject({ code: 0 });
      outs.push(bench.text(`again-${i}.csv`));
    }
    expect(outs[0]?.split('\n')).toHaveLength(made.records.length + 2);
    expect(new Set(outs).size).toBe(1);
  });

  test('takes a table that is written otherwise, as it is told', async () => {
    const marked = (text: string): string => `'${text.replaceAll("'", "''")}'`;
    const lines = made.records.map((record, row) =>
      [
        `Vögel '${row}'; alle`,
        ...NAMES.map((name) => String(record[name] ?? '?').replace(/^(\d+)\.(\d+)$/, '$1,$2')),
      ]
        .map(marked)
        .join(';'),
    );
    const text = [['id', ...NAMES].map(marked).join(';'), ...lines, ''].join('\n');
    writeFileSync(bench.path('vögel.csv'), Buffer.from(text, 'latin1'));
    const written = ['--separator', ';', '--decimal', ',', '--quote', "'", '--encoding', 'latin-1'];
    const done = await predict(
      ...['vögel.csv', '--model', 'model', '--out', 'otherwise.csv', '--columns', 'id'],
      ...[...written, '--missing', ',?'],
    );
    expect(done).toMatchObject({ code: 0 });
    await predict('birds.csv', '--model', 'model', '--out', 'plain.csv');
    const answersOf = (file: string): string[] => bench.text(file).split('\n');
    expect(answersOf('otherwise.csv').map((line) => line.replace(/^(id|"[^"]*"|[^,]*),/, ''))).toEqual(
      answersOf('plain.csv'),
    );
    expect(answersOf('otherwise.csv')[8]).toContain("Vögel '7'; alle,");

    // A model whose training read such tables needs to be told nothing, and takes another one where it is told.
    cpSync(bench.path('model'), bench.path('told'), { recursive: true });
    const mlmodel = parse(bench.text('told/MLmodel')) as { metadata: object };
    const csv = { separator: ';', decimal: ',', quote: "'", encoding: 'latin-1' };
    Object.assign(mlmodel.metadata, { data: { csv, missing: ['', '?'] } });
    writeFileSync(bench.path('told/MLmodel'), stringify(mlmodel));
    expect(
      await predict('vögel.csv', '--model', 'told', '--out', 'told.csv', '--columns', 'id'),
    ).toMatchObject({ code: 0 });
    expect(bench.text('told.csv')).toBe(bench.text('otherwise.csv'));
    const plain = [
      '--separator',
      ',',
      '--decimal',
      '.',
      '--quote',
      '"',
      '--encoding',
      'utf-8',
      '--missing',
      'NA',
    ];
    await predict('birds.csv', '--model', 'told', '--out', 'retold.csv', ...plain);
    expect(bench.text('retold.csv')).toBe(bench.text('plain.csv'));
    const unclear = await predict('birds.csv', '--model', 'told', '--out', 'x.csv', '--separator', ',');
    expect(unclear).toMatchObject({ code: 2 });
    expect(unclear.stderr).toContain('--decimal .');
  });

  test.each<[string, string[], number, RegExp]>([
    [
      'an encoding that is none',
      ['birds.csv', '--model', 'model', '--out', 'x.csv', '--encoding', 'ebcdic'],
      2,
      /--encoding ebcdic: .*latin-1/,
    ],
    ['no model', ['birds.csv', '--model', './none', '--out', 'x.csv'], 2, /\.\/none: no such folder/],
    [
      'no data',
      ['none.csv', '--model', 'model', '--out', 'x.csv'],
      2,
      /none\.csv: there is no such file; correct the path$/m,
    ],
    [
      'an ending without a format',
      ['birds.csv', '--model', 'model', '--out', 'x.xlsx'],
      2,
      /ends with \.xlsx/,
    ],
    ['the data itself', ['birds.csv', '--model', 'model', '--out', 'birds.csv'], 2, /is the data itself/],
    [
      'a column that is not there',
      ['birds.csv', '--model', 'model', '--out', 'x.csv', '--columns', 'idd'],
      2,
      /did you mean "id"\?/,
    ],
    [
      'no server and no copy',
      ['birds.csv', '--model', 'birds@production', '--out', 'x.csv'],
      4,
      /no copy of birds@production/,
    ],
  ])('refuses %s', async (_, args, code, says) => {
    const failed = await predict(...args);
    expect(failed.code).toBe(code);
    expect(failed.stderr).toMatch(says);
    expect(existsSync(bench.path('x.csv'))).toBe(false);
  });

  test('names row, column and cell of what is no number, and the column that is lacking', async () => {
    const lines = bench.text('birds.csv').split('\n');
    lines[200] = lines[200]!.replace(/^("[^"]*(?:""[^"]*)*","[^"]*",)"[^"]*"/, '$1"long"');
    writeFileSync(bench.path('bad.csv'), lines.join('\n'));
    const bad = await predict('bad.csv', '--model', 'model', '--out', 'x.csv');
    expect(bad).toMatchObject({ code: 2 });
    expect(bad.stderr).toContain(
      'bad.csv: row 200, column "Beak Length (mm)": "long", expected a finite number',
    );
    writeFileSync(bench.path('less.csv'), bench.text('birds.csv').replace('Island', 'Iland'));
    const less = await predict('less.csv', '--model', 'model', '--out', 'x.csv');
    expect(less.stderr).toContain('there is no column "Island", which the model takes');
    expect(
      await predict('less.csv', '--model', 'model', '--out', 'ok.csv', '--alias', 'Iland=Island'),
    ).toMatchObject({ code: 0 });
    expect(existsSync(bench.path('x.csv'))).toBe(false);
  });

  test('leaves nothing half-written, killed at any time, and clears up what was left', async () => {
    const rows = bench.text('birds.csv').split('\n').slice(1, -1);
    const many = Array.from({ length: 400 }, () => rows.join('\n'));
    writeFileSync(bench.path('many.csv'), [['id', ...NAMES].join(','), ...many, ''].join('\n'));
    const parts = (): string[] => readdirSync(bench.dir).filter((name) => name.startsWith('many.parquet'));
    const start = (signal: NodeJS.Signals): Promise<unknown[]> => {
      const args = ['predict', 'many.csv', '--model', 'model', '--out', 'many.parquet'];
      const child = spawn(process.execPath, [CLI, ...args], { cwd: bench.dir, stdio: 'ignore' });
      const begun = setInterval(() => {
        if (!parts().some((name) => name.includes(`.${child.pid}.`))) return;
        clearInterval(begun);
        child.kill(signal);
      }, 2);
      return once(child, 'close').finally(() => clearInterval(begun));
    };
    expect(await start('SIGKILL')).toEqual([null, 'SIGKILL']);
    expect(parts()).toEqual([expect.stringMatching(/\.part$/)]);
    expect(await start('SIGINT')).toEqual([5, null]);
    expect(parts()).toEqual([]);
    expect(await predict('many.csv', '--model', 'model', '--out', 'many.parquet')).toMatchObject({ code: 0 });
    expect(parts()).toEqual(['many.parquet']);
    expect(columnsOf('many.parquet').get('prediction')).toHaveLength(400 * rows.length);
  });
});
