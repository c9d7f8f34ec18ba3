import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { dataInsideProject } from '../../pipeline/run/inside-project';
import { digestData } from '../../pipeline/run/digest-data';
import { readDuckTable } from '../../ml/dataset/duckdb/read-duck-table';
import { readTable } from '../../ml/dataset/read-table';
import { type Attack, describeAttacks } from './attack';

const MIB = 1 << 20;
const SECRET = 'hunter2-in-a-file';

const root = mkdtempSync(path.join(tmpdir(), 'data-attacks-'));
const at = (...names: string[]): string => path.join(root, ...names);
beforeAll(() => mkdirSync(at('spill')));
afterAll(() => rmSync(root, { recursive: true }));

/** As the stage reads its data: by csv-parse what is small, else by DuckDB. Bombs are in test/stages/bounded-process, which bounds them. */
const read = (name: string, memoryBytes?: number): Promise<unknown> =>
  readTable(
    at(name),
    name,
    {
      ...{ choice: { target: 'y', drop: [], rename: {} }, allowMissing: true },
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
    },
    (files, shown, options) => readDuckTable(files, shown, { ...options, spillDir: at('spill') }),
  );

const attack = (
  name: string,
  file: string,
  bytes: () => string | Buffer,
  says: RegExp,
  code: Attack['code'] = 'DATA_INVALID',
): Attack => ({
  name,
  attempt: () => {
    writeFileSync(at(file), bytes());
    return read(file, 400 * MIB);
  },
  code,
  says,
  hides: new RegExp(SECRET),
});

const link = (name: string, target: string, says: RegExp): Attack => ({
  name,
  attempt: () => {
    rmSync(at('link.csv'), { force: true });
    symlinkSync(target, at('link.csv'));
    return dataInsideProject(root, 'link.csv', 'params.yaml');
  },
  code: 'CONFIG_INVALID',
  says,
});

const rows = 'a,y\n1,x\n2,z\n';

const ATTACKS: Attack[] = [
  attack(
    'a gzip file that is cut off',
    'd.csv.gz',
    () => gzipSync(rows.repeat(1000)).subarray(0, 50),
    /d\.csv\.gz/,
  ),
  attack('a row of 20 MB', 'd.csv', () => `a,y\n1,${'x'.repeat(20 * MIB)}\n`, /d\.csv/),
  attack('a quote that never ends', 'd.csv', () => `a,y\n1,"${'x\n'.repeat(1000)}`, /d\.csv/),
  attack('a header of 100,000 columns of one name', 'd.csv', () => `${'a,'.repeat(100_000)}y\n`, /d\.csv/),
  attack(
    'a header that the terminal of who reads the error would obey',
    'd.csv',
    () => '\u001b[2J\u001b]0;x\u0007,z\n1,2\n',
    /d\.csv/,
  ),
  attack('a header of lines', 'd.csv', () => '"a\r\nerror: all is lost","a\nb"\n1,2\n', /d\.csv/),
  attack(
    'a secret among numbers is not shown whole',
    'd.csv',
    () => `a,y\n1,x\n${'9'.repeat(60)}${SECRET},z\n`,
    /d\.csv/,
  ),
  attack('no rows', 'd.csv', () => 'a,y\n', /d\.csv/),
  attack('nothing', 'd.csv', () => '', /d\.csv/),
  attack('bytes that are no text', 'd.csv', () => Buffer.alloc(1000, 0xff), /d\.csv/),
  attack('NUL bytes', 'd.csv', () => Buffer.alloc(100_000), /d\.csv/),
  attack('Parquet that is none', 'd.parquet', () => 'PAR1 and nothing else PAR1', /d\.parquet/),
  attack(
    'Parquet whose footer says it has 4 GB',
    'd.parquet',
    () =>
      Buffer.concat([
        Buffer.from('PAR1'),
        Buffer.alloc(64),
        Buffer.from([0xff, 0xff, 0xff, 0xff]),
        Buffer.from('PAR1'),
      ]),
    /d\.parquet/,
  ),
  attack(
    'JSON lines nested a hundred thousand deep',
    'd.jsonl',
    () => `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)},"y":1}\n`,
    /d\.jsonl/,
  ),
  attack('JSON lines that are half a file', 'd.jsonl', () => '{"a":1,"y":"x"}\n{"a":', /d\.jsonl/),
  attack('JSON that is one number', 'd.jsonl', () => '7\n', /d\.jsonl/),
  link('a link to /etc/passwd', '/etc/passwd', /link\.csv is a link that leads out of the project/),
  link('a link to a process’s environment', '/proc/self/environ', /leads out of the project/),
  link('a link to the folder above', '..', /leads out of the project/),
  {
    name: 'a FIFO, at which a reader would wait for ever',
    attempt: () => {
      execFileSync('mkfifo', [at('fifo.csv')]);
      return digestData(root, at('fifo.csv'));
    },
    code: 'DATA_INVALID',
    says: /fifo\.csv is a device or a pipe/,
  },
  {
    name: 'a FIFO, whose columns are looked at on the main thread',
    attempt: () => read('fifo.csv'),
    code: 'DATA_INVALID',
    says: /fifo\.csv: is a device or a pipe/,
  },
  {
    name: 'a FIFO in a folder of data',
    attempt: () => {
      mkdirSync(at('folder'));
      execFileSync('mkfifo', [at('folder', 'fifo.csv')]);
      return digestData(root, at('folder'));
    },
    code: 'DATA_INVALID',
    says: /fifo\.csv/,
  },
  {
    name: 'a FIFO among the files of a table',
    attempt: () => read('folder'),
    code: 'DATA_INVALID',
    says: /fifo\.csv: is a device or a pipe/,
  },
];

describeAttacks(
  'whoever writes the data leaves',
  ATTACKS,
  async () => {
    writeFileSync(at('honest.csv'), rows.repeat(1));
    await expect(read('honest.csv')).resolves.toMatchObject({ table: { rows: 2 } });
  },
  60_000,
);
