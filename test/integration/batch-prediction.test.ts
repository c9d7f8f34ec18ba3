import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { type BatchPredictionInput, type BatchPredictionResult } from '../../contracts/batch-prediction';
import { WORKFLOW } from '../../contracts/names';
import { createMlflow, type Mlflow } from '../../integrations/mlflow/client';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import { takeHistory } from './pipeline/recorded-history';
import { sleep, TestProject, type WorkerProcess } from './pipeline/test-project';
import { nightly } from '../tools/nightly';

jest.setTimeout(180_000);

describe('a batch prediction', () => {
  const project = new TestProject();
  let connection: Connection;
  let client: Client;
  let mlflow: Mlflow;
  let worker: WorkerProcess;
  let ids = 0;

  beforeAll(async () => {
    connection = await Connection.connect({ address: project.env['TEMPORAL_ADDRESS']! });
    client = new Client({ connection });
    mlflow = createMlflow(mlflowSettings({ MLFLOW_TRACKING_URI: project.env['MLFLOW_TRACKING_URI'] }));
    worker = await project.startWorker();
    await project.start('--wait');
    mkdirSync(project.path('out'));
    // New rows have no species yet.
    const rows = readFileSync(project.path('data/iris.csv'), 'utf8').trim().split('\n');
    writeFileSync(
      project.path('data/new.csv'),
      rows.map((row) => row.slice(0, row.lastIndexOf(','))).join('\n') + '\n',
    );
  });
  afterAll(async () => {
    await project.cli(['schedule', 'delete', `predict-${project.model}`]);
    await mlflow.close();
    await connection.close();
    await project.remove();
  });

  function predict(input: Partial<BatchPredictionInput> | object = {}): Promise<BatchPredictionResult> {
    return client.workflow.execute(WORKFLOW.batchPrediction, {
      workflowId: `batch-${project.id}-${ids++}`,
      taskQueue: project.taskQueue,
      args: [{ data: 'data/new.csv', model: `${project.model}@production`, out: 'out/p.csv', ...input }],
    });
  }

  async function refusal(input: object): Promise<string> {
    try {
      await predict(input);
    } catch (error) {
      return String(
        (error as Error).cause instanceof Error ? (((error as Error).cause as Error).cause ?? error) : error,
      );
    }
    throw new Error('it was not refused');
  }

  test('scores a table, says in MLflow what was scored by what, and does not do it twice', async () => {
    const first = await predict();
    expect(first).toMatchObject({
      model: project.model,
      modelVersion: '1',
      rows: 150,
      reused: false,
      out: 'out/p.csv',
    });
    const [header, row] = readFileSync(project.path('out/p.csv'), 'utf8').split('\n');
    expect(header).toContain('prediction');
    expect(row).toContain('setosa');
    const run = await mlflow.runs.get(first.mlflowRunId);
    expect(run).toMatchObject({
      status: 'FINISHED',
      tags: { data_hash: first.dataHash, output_sha256: first.sha256 },
      params: { data: 'data/new.csv', model_version: '1' },
      metrics: { rows: 150 },
    });
    const written = statSync(project.path('out/p.csv'));
    const again = await predict();
    expect(again).toEqual({ ...first, reused: true });
    expect(statSync(project.path('out/p.csv')).ino).toBe(written.ino);
    // Nothing lies beside it but its lineage.
    expect(readdirSync(project.path('out')).sort()).toEqual(['p.csv', 'p.csv.lineage.json']);
    await takeHistory(client, 'batch-success', `batch-${project.id}-0`);
  });

  test('makes it again when the file was changed, or the data, and as Parquet', async () => {
    const first = await predict({ out: 'out/again.parquet' });
    writeFileSync(project.path('out/again.parquet'), 'damaged');
    const mended = await predict({ out: 'out/again.parquet' });
    expect(mended).toMatchObject({ sha256: first.sha256, reused: false, mlflowRunId: first.mlflowRunId });
    const text = readFileSync(project.path('data/new.csv'), 'utf8');
    writeFileSync(project.path('data/newer.csv'), `${text}${text.split('\n')[1]}\n`);
    const other = await predict({ data: 'data/newer.csv', out: 'out/again.parquet' });
    expect(other).toMatchObject({ rows: 151, reused: false });
    expect(other.mlflowRunId).not.toBe(first.mlflowRunId);
  });

  nightly(
    'killed and then cancelled amid the table, it leaves nothing, under its name or beside it',
    async () => {
      // Some minutes' work: it is never done before it is cancelled.
      await project.start('--wait', '--set', 'train.n_estimators=3000');
      const [header = '', ...rows] = readFileSync(project.path('data/new.csv'), 'utf8').trim().split('\n');
      const many = Array.from({ length: 4000 }, () => rows.join('\n'));
      writeFileSync(project.path('data/large.csv'), `${header}\n${many.join('\n')}\n`);
      const [latest] = await mlflow.registry.listVersions(project.model);
      mkdirSync(project.path('large'));
      const lying = (): string[] => readdirSync(project.path('large'));
      const attempt = async (number: number): Promise<void> => {
        while (!lying().some((name) => name.includes(`-${number}.csv`))) await sleep(50);
      };
      const handle = await client.workflow.start(WORKFLOW.batchPrediction, {
        workflowId: `batch-${project.id}-cancelled`,
        taskQueue: project.taskQueue,
        args: [{ data: 'data/large.csv', model: `${project.model}@${latest?.version}`, out: 'large/p.csv' }],
      });
      await attempt(1);
      await worker.kill();
      const left = lying();
      expect(left).toHaveLength(1);
      worker = await project.startWorker();
      await attempt(2);
      expect(lying().filter((name) => left.includes(name))).toEqual([]);
      await handle.cancel();
      await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
      expect(lying()).toEqual([]);
      // And nothing of it is said in MLflow.
      const { events = [] } = await handle.fetchHistory();
      const scheduled = events?.map(
        (event) => event.activityTaskScheduledEventAttributes?.activityType?.name,
      );
      expect(scheduled).toContain('predictBatch');
      expect(scheduled).not.toContain('recordBatch');
      await takeHistory(client, 'batch-cancelled', handle.workflowId);
    },
  );

  test('a stranger’s input is refused at once, with words', async () => {
    writeFileSync(project.path('out/mine.csv'), 'mine');
    expect(await refusal({ out: '../p.csv' })).toContain('must stay inside the project');
    expect(await refusal({ data: '/etc/passwd' })).toContain('must stay inside the project');
    expect(await refusal({ out: 'out/mine.csv' })).toContain('no batch prediction made it');
    expect(await refusal({ out: 'data/new.csv' })).toContain('no batch prediction made it');
    expect(await refusal({ model: `${project.model}@nobody` })).toContain('has no alias nobody');
    expect(await refusal({ command: 'rm' })).toMatch(/the input.*command/);
    expect(readFileSync(project.path('out/mine.csv'), 'utf8')).toBe('mine');
    expect(existsSync(project.path('../p.csv'))).toBe(false);
  });

  test('a schedule does the same every night', async () => {
    const args = [
      '--predict',
      'data/new.csv',
      '--model',
      `${project.model}@production`,
      '--out',
      'out/nightly.parquet',
    ];
    const created = await project.cli(['schedule', 'create', '--cron', '0 5 * * *', ...args, '--json']);
    expect(created).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(created.stdout)).toMatchObject({
      name: `predict-${project.model}`,
      params: null,
      predict: { data: 'data/new.csv', out: 'out/nightly.parquet' },
    });
    const triggered = await project.cli(['schedule', 'trigger', `predict-${project.model}`, '--json']);
    const { workflowId } = JSON.parse(triggered.stdout) as { workflowId: string };
    const result: unknown = await client.workflow.getHandle(workflowId).result();
    expect(result).toMatchObject({ rows: 150, out: 'out/nightly.parquet' });
    expect(existsSync(project.path('out/nightly.parquet'))).toBe(true);
    for (;;) {
      const { stdout } = await project.cli(['schedule', 'list']);
      if (stdout.includes(`data/new.csv by ${project.model}@production into out/nightly.parquet`)) break;
      await sleep(200);
    }
  });

  test.each([
    [['--predict', 'data/new.csv'], 'belong together'],
    [['--predict', '../new.csv', '--model', 'm', '--out', 'out/x.csv'], 'must stay inside the project'],
    [['--predict', 'data/new.csv', '--model', 'm', '--out', 'out/x.sh'], 'end it with .parquet'],
  ])('schedule create refuses %j', async (args, why) => {
    const { code, stderr } = await project.cli(['schedule', 'create', '--cron', '@daily', ...args]);
    expect(stderr).toContain(why);
    expect(code).toBe(2);
  });
});
