import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { type AccuracyReport } from '../../../contracts/accuracy';
import { type MonitorResult } from '../../../contracts/watch';
import { createMlflow } from '../../../integrations/mlflow/client';
import { mlflowSettings } from '../../../integrations/mlflow/settings';
import { Random } from '../../../ml/random/random';
import { openPredictionLog } from '../../../serving/log/open-prediction-log';
import { loadModel } from '../../../serving/predict';
import { column, logged, modelOf } from '../../serving/log/logged';
import { TestProject } from '../pipeline/test-project';

jest.setTimeout(300_000);

/** Rows of x and y, and what is true of them: by the chance of a curve over x, which is flat in the middle. */
interface Row {
  x: number;
  y: number;
  bought: 'no' | 'yes';
  price: number;
}

function rowsOf(
  random: Random,
  rows: number,
  { from, to }: { from: number; to: number },
  turned = false,
): Row[] {
  return Array.from({ length: rows }, () => {
    const x = Math.fround(from + random.float() * (to - from));
    const y = Math.fround(random.float());
    const chance = 1 / (1 + Math.exp(-4 * (turned ? -x : x)));
    return {
      x,
      y,
      bought: random.float() < chance ? 'yes' : 'no',
      price: Math.fround(10 * x + y + (turned ? 30 * y : 0)),
    };
  });
}

const csvOf = (rows: readonly Row[], target: 'bought' | 'price'): string =>
  ['x,y,target', ...rows.map((row) => `${row.x},${row.y},${row[target]}`)].join('\n');

const HOUR_MS = 3_600_000;
const DRIFT = {
  min_rows: 1_000_000,
  window: '2d',
  joint: false,
  resolved_after: 1,
  accuracy: { window: '2d', labels_min: 100 },
};
const DATA = { path: 'data/rows.csv', target: 'target' };

/** A project whose model answers; what it says is logged as the API logs it. */
class Watched {
  readonly project: TestProject;
  private checks = 0;

  constructor(
    private readonly client: () => Client,
    private readonly target: 'bought' | 'price',
    params: Record<string, unknown>,
  ) {
    this.project = new TestProject({ data: DATA, drift: DRIFT, ...params });
  }

  async train(rows: readonly Row[]): Promise<void> {
    writeFileSync(this.project.path('data/rows.csv'), csvOf(rows, this.target));
    await this.project.startWorker();
    const { code, stderr } = await this.project.start('--wait');
    expect({ code, stderr }).toMatchObject({ code: 0 });
  }

  /** Answers rows of a day, and gives the labels of the first ones. */
  async answer(day: string, rows: readonly Row[], labelled: number): Promise<void> {
    const { project, target } = this;
    const model = await loadModel(`${project.model}@1`, {
      trackingUri: project.env['MLFLOW_TRACKING_URI'] ?? '',
      cacheDir: project.path('.retrain/loaded'),
    });
    const said = await model.predict(rows.map(({ x, y }) => ({ x, y })));
    await model.close();
    let now = Date.parse(day);
    const dir = path.join(project.dir, '.retrain', 'predictions');
    const log = openPredictionLog({ dir, retentionDays: 3650, now: () => now });
    const answering = modelOf(model.classes);
    rows.forEach((row, i) => {
      const { prediction, probability } = said[i]!;
      const one = {
        model: answering,
        requestId: `${day}-${i}`,
        name: project.model,
        version: '1',
        at: now + i,
      };
      const columns = [column('x', [row.x], 'number'), column('y', [row.y], 'number')];
      const answers = probability === null ? [Number(prediction)] : [[prediction, probability] as const];
      log.add(logged({ ...one, columns, answers: answers }));
    });
    now += HOUR_MS;
    rows.slice(0, labelled).forEach((row, i) => log.feedback(`${day}-${i}`, 0, row[target]));
    await log.close();
  }

  check(now: string): Promise<MonitorResult> {
    const { project } = this;
    return this.client().workflow.execute('monitorModel', {
      taskQueue: project.taskQueue,
      workflowId: `check-${project.id}-${(this.checks += 1)}`,
      args: [{ model: `${project.model}@1`, now }],
    }) as Promise<MonitorResult>;
  }
}

let connection: Connection;
let client: Client;
const mlflow = createMlflow(mlflowSettings({}, process.env['RETRAIN_TEST_MLFLOW_URI'] ?? ''));

beforeAll(async () => {
  connection = await Connection.connect({ address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '' });
  client = new Client({ connection });
});
afterAll(async () => {
  await mlflow.close();
  await connection.close();
});

async function reportOf({ mlflowRunId, now }: MonitorResult): Promise<AccuracyReport> {
  const { artifactUri } = await mlflow.runs.get(mlflowRunId);
  const file = `checks/${now.slice(0, 19).replaceAll(':', '-')}Z/accuracy.json`;
  const bytes = await mlflow.artifacts.downloadBytes(artifactUri, file);
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as AccuracyReport;
}

describe('a classifier', () => {
  const wide = { from: -3, to: 3 };
  const watched = new Watched(() => client, 'bought', {
    gate: { accuracy: 0.6 },
    train: { n_estimators: 30, min_samples_leaf: 20 },
  });
  afterAll(() => watched.project.remove());

  test('is estimated before labels come, alarms where rows are harder, and is held against its labels once they are there', async () => {
    const random = new Random(1);
    await watched.train(rowsOf(random, 2500, wide));
    await watched.answer('2026-03-01', rowsOf(random, 500, wide), 0);
    const quiet = await watched.check('2026-03-02T00:00:00Z');
    expect(quiet.raised).toEqual([]);
    const before = await reportOf(quiet);
    expect(before).toMatchObject({ rows: 500, labels: { rows: 0, share: 0 }, live: [], causes: [] });
    expect(before.promised?.metrics['accuracy']).toBeGreaterThan(0.85);
    expect(before.estimated).toMatchObject({ metric: 'accuracy', check: null });
    expect(Math.abs(before.estimated!.value - before.estimated!.heldOut)).toBeLessThan(0.05);

    // Only rows of which nobody can know much.
    const hard = rowsOf(random, 800, { from: -0.4, to: 0.4 });
    await watched.answer('2026-03-05', hard, 0);
    const early = await watched.check('2026-03-06T00:00:00Z');
    expect(early.raised).toEqual(['accuracy:estimated']);
    await watched.answer('2026-03-06', rowsOf(random, 800, { from: -0.4, to: 0.4 }), 600);
    const labelled = await watched.check('2026-03-07T00:00:00Z');
    expect(labelled.raised).toEqual(['accuracy:live']);
    expect(labelled.notes.accuracy).toContain('which of the labelled ones was');
    const { estimated, live, labels } = await reportOf(labelled);
    expect(labels).toMatchObject({
      rows: 600,
      share: 600 / 1600,
      delay: { median: expect.closeTo(3600, -1) as number },
    });
    expect(labels.byAnswer.map(({ answer }) => answer).sort()).toEqual(['no', 'yes']);
    const realised = live.find(({ metric }) => metric === 'accuracy')!.value;
    expect(realised).toBeLessThan(0.8);
    expect(estimated?.check).toMatchObject({ labels: 600, within: true });
    expect(estimated?.check?.realised).toBeCloseTo(realised, 12);
    const { metrics } = await mlflow.runs.get(labelled.mlflowRunId);
    expect(metrics['estimate_error']).toBeCloseTo(estimated!.check!.estimated - realised, 9);

    // Its customers turned: no probability tells that, labels do.
    await watched.answer('2026-03-10', rowsOf(random, 500, wide, true), 500);
    const turned = await reportOf(await watched.check('2026-03-11T00:00:00Z'));
    expect(turned.estimated!.value).toBeGreaterThan(0.85);
    expect(turned.live[0]!.value).toBeLessThan(0.2);
    expect(turned.estimated?.check).toMatchObject({ within: false });
    expect(turned.causes.map(({ key }) => key)).toEqual(['accuracy:live']);
  });
});

describe('a regression', () => {
  const watched = new Watched(() => client, 'price', {
    task: 'regression',
    gate: { rmse: 5 },
    promote: { metric: 'rmse' },
    train: { n_estimators: 20 },
  });
  afterAll(() => watched.project.remove());

  test('waits for labels, says so, and alarms by its error', async () => {
    const random = new Random(2);
    const wide = { from: -3, to: 3 };
    await watched.train(rowsOf(random, 1000, wide));
    await watched.answer('2026-03-01', rowsOf(random, 300, wide), 50);
    const few = await watched.check('2026-03-02T00:00:00Z');
    expect(few.raised).toEqual([]);
    expect(few.notes.accuracy).toMatch(
      /50 of 300 answers have a label.*too few to say anything: 100 are needed; not estimated: a regression/,
    );
    await watched.answer('2026-03-04', rowsOf(random, 300, wide), 200);
    expect((await watched.check('2026-03-05T00:00:00Z')).raised).toEqual([]);
    await watched.answer('2026-03-07', rowsOf(random, 300, wide, true), 200);
    const turned = await watched.check('2026-03-08T00:00:00Z');
    expect(turned.raised).toEqual(['accuracy:live']);
    const { causes, metric } = await reportOf(turned);
    expect(metric).toBe('rmse');
    expect(causes[0]?.detail).toMatch(
      /rmse is 1\d.*and was 0\.\d+ on held-out rows; rmse is 1\d.*the gate asks for at most 5/,
    );
  });
});
