import { buildSync } from 'esbuild';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { stewardWorkflowId } from '../../../contracts/names';
import { firstBreak } from '../../../ml/ledger/chain';
import { Candidates } from '../steward/candidates';
import { StewardView } from '../steward/steward-view';
import { type Fault } from './fault-seam';
import { RegistryView } from './registry-view';
import { ROOT, sleep, TestProject, type WorkerProcess } from './test-project';
import { isNightly } from '../../tools/nightly';

jest.setTimeout(600_000);

/** Activities that write, and each kind of thing that they write; results of a stage: test/soak/crashes.test.ts, at any moment. */
const POINTS: readonly Omit<Fault, 'kind'>[] = [
  { effect: 'openRun: mlflow.runs.open#1', when: 'after' },
  { effect: 'train: executor.run#1', when: 'after' },
  { effect: 'evaluate: results.save#1', when: 'after' },
  { effect: 'register: mlflow.artifacts.uploadFile#3', when: 'after' },
  { effect: 'register: mlflow.registry.findOrCreateVersion#1', when: 'after' },
  { effect: 'settleCandidate: mlflow.registry.setVersionTags#1', when: 'after' },
  { effect: 'settleCandidate: mlflow.registry.setAlias#1', when: 'after' },
  { effect: 'closeRun: mlflow.runs.finish#1', when: 'before' },
];

/** Of a rollback: once it is tagged, between its two aliases, and once production has moved. */
const ROLLBACK_POINTS: readonly Omit<Fault, 'kind'>[] = [
  { effect: 'moveByHand: mlflow.registry.transitionStage#1', when: 'before' },
  { effect: 'moveByHand: mlflow.registry.setAlias#1', when: 'after' },
  { effect: 'moveByHand: mlflow.registry.setAlias#2', when: 'after' },
];

describe('kill -9 of the worker', () => {
  let dir: string;
  let program: string;

  beforeAll(() => {
    // Inside node_modules, so that the packages are found from there.
    const cache = path.join(ROOT, 'node_modules', '.cache');
    mkdirSync(cache, { recursive: true });
    dir = mkdtempSync(path.join(cache, 'doomed-worker-'));
    program = path.join(dir, 'doomed-worker.js');
    const entryPoints = [path.join(__dirname, 'doomed-worker.ts')];
    const format = { bundle: true, platform: 'node', format: 'cjs', packages: 'external' } as const;
    buildSync({ ...format, entryPoints, outfile: program, logLevel: 'error' });
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  // All at once: most of the time goes by until the server misses the dead workers' heartbeats.
  test.concurrent.each(POINTS.filter((_, i) => isNightly || i % 3 === 1))(
    '$when $effect: a restarted one completes the run; one MLflow run, one version',
    async (point) => killedAt(point),
  );

  test.concurrent.each(ROLLBACK_POINTS.filter((_, i) => isNightly || i === 2))(
    '$when $effect: a restarted one completes the rollback; aliases, stages and ledger agree',
    async (point) => rollbackKilledAt(point),
  );

  async function rollbackKilledAt(point: Omit<Fault, 'kind'>): Promise<void> {
    const project = new TestProject();
    const registry = new RegistryView(project.model);
    const connection = await Connection.connect({
      address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '',
    });
    try {
      const client = new Client({ connection });
      const candidates = new Candidates(project, registry.mlflow, client);
      const view = new StewardView(client, project.model);
      const fault = JSON.stringify({ ...point, kind: 'crash' });
      const steward = stewardWorkflowId(project.model);
      const doomed = await project.startWorker({}, [program, path.join(ROOT, 'dist'), steward, fault]);
      for (const quality of [0.91, 0.95]) await candidates.contest(await candidates.register(quality));
      const asked = project.cli(['rollback', project.model, '--as', 'ann', '--reason', 'r', '--json']);
      const death = await Promise.race([doomed.ended(), asked.then(({ stderr }) => `ended: ${stderr}`)]);
      expect(death).toBe('SIGKILL');
      await project.startWorker();
      expect(await asked).toMatchObject({ code: 0 });
      expect(
        (await registry.versions()).map(({ version, stage, aliases }) => [version, stage, ...aliases]),
      ).toEqual([
        ['2', 'Archived', 'previous-production'],
        ['1', 'Production', 'production'],
      ]);
      const entries = await view.ledger();
      expect(entries.map(({ event, to }) => [event, to])).toEqual([
        ['promoted', '1'],
        ['promoted', '2'],
        ['rolled_back', '1'],
      ]);
      expect(firstBreak(entries)).toBeNull();
    } finally {
      await project.remove();
      await registry.close();
      await connection.close();
    }
  }

  async function killedAt(point: Omit<Fault, 'kind'>): Promise<void> {
    const project = new TestProject({ train: { n_estimators: 3 }, gate: { accuracy: 0.5 } });
    const registry = new RegistryView(project.model);
    try {
      const { workflowId = '', workflowRunId } = await project.start();
      const fault = JSON.stringify({ ...point, kind: 'crash' });
      const doomed = await project.startWorker({}, [program, path.join(ROOT, 'dist'), workflowId, fault]);
      const finished = project.start('--wait');
      const death = await Promise.race([
        doomed.ended(),
        finished.then(() => 'lived to see the end of the run'),
      ]);
      expect(death).toBe('SIGKILL');
      await project.startWorker();
      const { result, code } = await finished;
      expect({ code, outcome: result?.outcome }).toEqual({ code: 0, outcome: 'promoted' });
      expect(result?.workflowRunId).toBe(workflowRunId);
      expect(await registry.runs()).toEqual([expect.objectContaining({ status: 'FINISHED' })]);
      expect(await registry.versions()).toEqual([
        expect.objectContaining({ version: '1', aliases: ['production'] }),
      ]);
    } finally {
      await project.remove();
      await registry.close();
    }
  }
});

describe('a worker that is stopped in mid-run', () => {
  const project = new TestProject({ train: { engine: 'ml-random-forest', n_estimators: 3000 } });
  afterAll(() => project.remove());

  test('leaves its work to the next one', async () => {
    const first = await project.startWorker();
    const { workflowRunId } = await project.start();
    await untilTraining(first);
    await first.stop();
    expect(first.log).toContain('worker ready');
    await project.startWorker();
    const { result } = await project.start('--wait');
    expect(result).toMatchObject({ outcome: 'promoted', modelVersion: '1', workflowRunId });
  });

  async function untilTraining(_worker: WorkerProcess): Promise<void> {
    for (;;) {
      const shown = await project.cli(['list', '--json']);
      if (shown.stdout.includes('"running"')) break;
      await sleep(100);
    }
    await sleep(500);
  }
});
