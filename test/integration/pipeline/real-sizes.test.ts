import { DuckDBInstance } from '@duckdb/node-api';
import { defaultPayloadConverter } from '@temporalio/common';
import { Client, Connection } from '@temporalio/client';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type StageProgress } from '../../../contracts/stage';
import { RegistryView } from './registry-view';
import { ROOT, sleep, TestProject } from './test-project';
import { describeNightly } from '../../tools/nightly';

jest.setTimeout(300_000);

describe('the credit-risk example', () => {
  const project = new TestProject();
  const registry = new RegistryView(project.model);
  afterAll(async () => {
    await project.remove();
    await registry.close();
  });

  test('goes from the generated table to production, with a report', async () => {
    const example = path.join('examples', 'credit-risk');
    cpSync(path.join(ROOT, example, 'params.yaml'), project.path(path.join(example, 'params.yaml')));
    const data = project.path(path.join(example, 'data', 'cs-training.csv'));
    const generator = path.join(ROOT, example, 'generate.mjs');
    // A tenth of the rows.
    execFileSync(process.execPath, [generator, '--rows', '15000', '--out', data, '--if-missing']);
    await project.startWorker();
    const { code, result, stderr } = await project.start(
      ...['--wait', '--params', path.join(example, 'params.yaml')],
      ...['--set', `model=${project.model}`, '--set', `experiment=${project.model}`],
      ...['--set', 'train.n_estimators=20'],
    );
    expect(`${code} ${code === 0 ? '' : stderr}`).toBe('0 ');
    expect(result).toMatchObject({ outcome: 'promoted', alias: 'production' });
    expect(result?.metrics['roc_auc']).toBeGreaterThan(0.8);
    const [run] = await registry.runs();
    const read = async (file: string): Promise<string> =>
      Buffer.from(await registry.mlflow.artifacts.downloadBytes(run?.artifactUri ?? '', file)).toString();
    const report = await read('report.md');
    expect(report).toMatch(
      /\| metric \| this model \| interval \| majority \| logistic regression \| gate \|/,
    );
    const root = await registry.modelRoot(run);
    const mlmodel = Buffer.from(await registry.mlflow.artifacts.downloadBytes(root, 'MLmodel')).toString();
    expect(mlmodel).toContain('NumberOfTime30-59DaysPastDueNotWorse');
    expect(mlmodel).toContain('loader_module: retrain_pyfunc');
  });
});

describeNightly('1,000,000 rows', () => {
  const project = new TestProject({
    data: { path: 'data/large.parquet', target: 'y' },
    train: { n_estimators: 4, max_depth: 6 },
    evaluate: { resamples: 0 },
    gate: { accuracy: 0.6 },
    // A heartbeat that is missed would end the only attempt.
    retry: { maximum_attempts: 1 },
  });
  let connection: Connection;
  afterAll(async () => {
    await connection.close();
    await project.remove();
  });

  test('train in the worker, and no heartbeat is missed', async () => {
    connection = await Connection.connect({ address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '' });
    const client = new Client({ connection });
    await writeLargeTable(project.path('data/large.parquet'));
    await project.startWorker();
    const { workflowId = '' } = await project.start();
    const seen = new Set<string>();
    const handle = client.workflow.getHandle(workflowId);
    for (;;) {
      const { raw, status } = await handle.describe();
      for (const { activityType, heartbeatDetails, attempt } of raw.pendingActivities ?? []) {
        expect(attempt).toBe(1);
        const [payload] = heartbeatDetails?.payloads ?? [];
        if (payload == null) continue;
        // Undefined until the stage says something.
        const progress = defaultPayloadConverter.fromPayload<StageProgress | undefined>(payload);
        if (progress === undefined) continue;
        seen.add(`${activityType?.name ?? ''}: ${progress.phase}`);
      }
      if (status.name !== 'RUNNING') break;
      await sleep(100);
    }
    await expect(handle.result()).resolves.toMatchObject({ outcome: 'promoted' });
    const { events } = await handle.fetchHistory();
    expect((events ?? []).filter((event) => event.activityTaskTimedOutEventAttributes != null)).toEqual([]);
    // A stage that goes on for more than a second says so; this one reads and profiles a million rows.
    expect([...seen].some((one) => /^(preprocess|train|evaluate): \w/.test(one))).toBe(true);
  });
});

/** Eight columns of numbers, a text, and a class that two of them tell for seven rows in ten. */
async function writeLargeTable(file: string): Promise<void> {
  mkdirSync(path.dirname(file), { recursive: true });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const numbers = Array.from({ length: 8 }, (_, k) => `(hash(i * ${k + 3}) % 100000)::FLOAT AS c${k}`);
  await connection.run(
    `COPY (SELECT *, CASE WHEN (c0 + c1 > 100000) = (hash(c2) % 10 < 8) THEN 'yes' ELSE 'no' END AS y
       FROM (SELECT ${numbers.join(', ')} FROM range(1000000) t(i))) TO '${file}' (FORMAT parquet)`,
  );
  connection.closeSync();
  instance.closeSync();
  if (!existsSync(file) || readFileSync(file).length < 1000) throw new Error('no table was written');
}
