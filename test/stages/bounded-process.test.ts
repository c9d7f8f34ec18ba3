import { readdirSync, readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { InProcessExecutor } from '../../stages/in-process';
import { stagePlace } from '../../stages/stage-place';
import { CompiledStages, StageFolder } from './stage-folder';

const MIB = 1 << 20;
const ROWS = `a,y\n${Array.from({ length: 200 }, (_, i) => `${i},${i % 2 === 0 ? 'x' : 'z'}\n`).join('')}`;

let compiled: CompiledStages;
let executor: InProcessExecutor;
const folders: StageFolder[] = [];

function folder(preprocess: object, data: string | Buffer = ROWS): StageFolder {
  const params = { data: { path: 'd.csv', target: 'y' }, preprocess, task: 'classification' };
  const made = new StageFolder(params, { data });
  folders.push(made);
  return made;
}

/** Pids of this process's children that run the compiled stages. */
const children = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(compiled.main);
      } catch {
        return false;
      }
    });

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}

beforeAll(() => {
  compiled = new CompiledStages();
  const limits = { memoryBytes: 400 * MIB, sqlTimeMs: 60_000 };
  executor = new InProcessExecutor({ threadEntry: compiled.threadEntry, threads: 2, limits });
});

afterAll(async () => {
  await executor.close();
  compiled.remove();
  for (const made of folders) made.remove();
});

/** Neither DuckDB's own bound nor an interrupt reaches one call that makes long texts. */
const LONG_TEXTS =
  "SELECT length(string_agg(repeat('x', 300000000 + range::INTEGER), '')) AS a, 'x' AS y FROM range(40)";

describe('a stage that takes too much', () => {
  it('a query that makes texts of gigabytes ends with words, and the other stage does not notice', async () => {
    const before = process.memoryUsage().rss;
    const greedy = executor.run('preprocess', folder({ sql: LONG_TEXTS }).dir);
    const other = executor.run('preprocess', folder({}).dir);
    // Either may end first.
    const [fate] = await Promise.allSettled([greedy, other]);
    await expect(other).resolves.toMatchObject({});
    expect(fate).toMatchObject({
      status: 'rejected',
      reason: {
        code: expect.stringMatching(/^(STAGE_OUT_OF_MEMORY|DATA_TOO_LARGE)$/) as string,
        message: expect.stringMatching(/400 MiB.*RETRAIN_STAGE_MEMORY/) as string,
      },
    });
    expect(children()).toEqual([]);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * MIB);
  }, 60_000);

  it('150 million rows in a gzip file of some MB are told in words', async () => {
    const block = gzipSync('1,x\n2,z\n'.repeat(5_000_000));
    const bomb = Buffer.concat([gzipSync('a,y\n'), ...Array.from({ length: 15 }, () => block)]);
    expect(bomb.length).toBeLessThan(8 * MIB);
    const running = executor.run('preprocess', folder({}, bomb).dir);
    await expect(running).rejects.toMatchObject({
      code: 'DATA_TOO_LARGE',
      message: expect.stringMatching(
        /^d\.csv: \d+ rows or more of 2 columns; the 400 MiB that a stage may take/,
      ) as string,
    });
  }, 60_000);
});

it('a query without end ends at its time limit', async () => {
  const limits = { memoryBytes: 1000 * MIB, sqlTimeMs: 1500 };
  const hasty = new InProcessExecutor({ threadEntry: compiled.threadEntry, threads: 1, limits });
  const sql =
    'WITH RECURSIVE t AS (SELECT 1::BIGINT AS a UNION ALL SELECT a + 1 FROM t) SELECT count(*) AS a, 1 AS y FROM t';
  await expect(hasty.run('preprocess', folder({ sql }).dir)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message:
      'preprocess: preprocess.sql or filter took longer than the 1.5 s that it may; let it do less, or raise RETRAIN_SQL_TIMEOUT on the worker',
  });
  expect(children()).toEqual([]);
  await hasty.close();
});

it('a query that cannot be interrupted is killed when the run is cancelled', async () => {
  const abort = new AbortController();
  const sql = "SELECT sum(length(repeat('x', 100000 + range % 7))) AS a, 'x' AS y FROM range(10000000)";
  const running = executor.run('preprocess', folder({ sql }).dir, { signal: abort.signal });
  running.catch(() => undefined);
  await until(() => children().length > 0);
  abort.abort(new Error('cancelled'));
  await expect(running).rejects.toThrow('cancelled');
  expect(children()).toEqual([]);
});

it('a process ends when its worker is killed', async () => {
  const sql = "SELECT count(*) AS a, 'x' AS y FROM range(100000000000) a, range(100) b";
  const program = `
    const { InProcessExecutor } = require(${JSON.stringify(compiled.inProcess)});
    const executor = new InProcessExecutor({ threadEntry: ${JSON.stringify(compiled.threadEntry)}, threads: 1 });
    void executor.run('preprocess', ${JSON.stringify(folder({ sql }).dir)});`;
  const worker = spawn(process.execPath, ['-e', program], { stdio: 'ignore' });
  await until(() => children().length > 0);
  worker.kill('SIGKILL');
  await once(worker, 'close');
  await until(() => children().length === 0);
});

describe('a stage runs in a process of its own', () => {
  it.each([
    ['with a query', { sql: 'SELECT * FROM data' }, 'process'],
    ['with a filter', { filter: 'a > 1' }, 'process'],
    ['without either, with small data: in a thread', {}, 'thread'],
  ])('%s', (_, preprocess, place) => {
    expect(stagePlace('preprocess', folder(preprocess).dir).place).toBe(place);
  });

  it('with large data, or compressed data that may be', () => {
    expect(stagePlace('preprocess', folder({}, 'a,y\n'.repeat(40 * MIB)).dir).place).toBe('process');
    const dense = gzipSync(Buffer.from(Array.from({ length: 9 * MIB }, (_, i) => (i * 2654435761) >>> 24)), {
      level: 0,
    });
    expect(stagePlace('preprocess', folder({}, dense).dir).place).toBe('process');
  });
});
