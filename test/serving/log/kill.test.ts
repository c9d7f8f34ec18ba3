import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { openPredictionLog } from '../../../serving/log/open-prediction-log';
import { readPredictions } from '../../../serving/log/read-predictions';

const COMPILED = path.resolve(
  __dirname,
  '..',
  '..',
  '..',
  'dist',
  'serving',
  'log',
  'open-prediction-log.js',
);
const dir = mkdtempSync(path.join(tmpdir(), 'prediction-log-kill-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Logs without end; says after each flush how many rows are in files. */
const CHILD = `
const { openPredictionLog } = require(process.argv[1]);
const [, , dir, name] = process.argv;
const log = openPredictionLog({ dir, flushMs: 20 });
const model = { task: 'classification', classes: ['a', 'b'], fields: [] };
let next = 0, told = 0;
setInterval(() => {
  for (let i = 0; i < 10; i += 1, next += 1) {
    log.add({
      at: Date.now(), requestId: name + '-' + next, modelName: 'm', modelVersion: '1', role: 'production', model,
      batch: { rows: 1, columns: [{ kind: 'number', name: 'x', values: Float64Array.of(next) }] },
      answers: { labels: ['a'], probabilities: Float64Array.of(0.75, 0.25), values: null },
    });
  }
  const { written } = log.status();
  if (written > told) process.stdout.write((told = written) + '\\n');
}, 1);
`;

/** Runs a child until some flushes have passed, then kills it. @returns rows that it knew to be in files */
async function killed(name: string, flushes: number): Promise<number> {
  const child = spawn(process.execPath, ['-e', CHILD, COMPILED, dir, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.split('\n').length > flushes) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1));
}

test('processes that are killed leave whole files, with all that was flushed and nothing twice', async () => {
  const known = new Map<string, number>();
  const rounds = [0, 1, 2].map(async (round) => {
    for (const flushes of [1, 4 + round * 17, 9]) {
      const name = `c${round}x${flushes}`;
      known.set(name, await killed(name, flushes));
    }
  });
  await Promise.all(rounds);
  // A process that comes later puts the folder in order.
  const heir = openPredictionLog({ dir });
  await heir.close();
  const seen = new Map<string, number[]>();
  for await (const { requestId, features } of readPredictions(dir)) {
    const name = requestId.slice(0, requestId.indexOf('-'));
    seen.set(name, [...(seen.get(name) ?? []), Number(features['x'])]);
  }
  for (const [name, count] of known) {
    const rows = (seen.get(name) ?? []).sort((a, b) => a - b);
    expect(rows.length).toBeGreaterThanOrEqual(count);
    // Nothing is missing between the first and the last.
    expect(rows).toEqual(rows.map((_, index) => index));
  }
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const counted = await connection.runAndReadAll(
    `select count(*)::int as rows, count(distinct request_id)::int as ids from '${dir}/*/m@1/*.parquet'`,
  );
  const all = [...seen.values()].flat().length;
  expect(counted.getRowObjects()).toEqual([{ rows: all, ids: all }]);
  connection.closeSync();
  instance.closeSync();
}, 60_000);

test('a process that ends in order leaves what it was writing just then, though nothing else keeps it alive', async () => {
  const own = path.join(dir, 'in-order');
  // A flush begins at once, and its thread takes longer to start than it takes until the end.
  const ending = CHILD.replace('setInterval(', 'setTimeout(').replace(
    /\}, 1\);\s*$/,
    '}, 1);\nsetTimeout(() => log.close().then(() => process.stdout.write("closed")), 25);\n',
  );
  const child = spawn(
    process.execPath,
    ['-e', ending.replace('flushMs: 20', 'flushMs: 5'), COMPILED, own, 'e'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code] = (await once(child, 'close')) as [number];
  expect({ code, said }).toEqual({ code: 0, said: 'closed' });
  const ids: string[] = [];
  for await (const { requestId } of readPredictions(own)) ids.push(requestId);
  expect(ids).toHaveLength(10);
});
