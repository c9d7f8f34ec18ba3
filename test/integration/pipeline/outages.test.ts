import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startMlflow, startTemporal, type OwnMlflow, type OwnTemporal } from '../stack/servers';
import { RegistryView } from './registry-view';
import { sleep, TestProject } from './test-project';

jest.setTimeout(600_000);

describe('a server that goes away in mid-run', () => {
  const state = mkdtempSync(path.join(tmpdir(), 'retrain-outage-'));
  const dbFile = path.join(state, 'temporal.db');
  let temporal: OwnTemporal;
  let mlflow: OwnMlflow;

  beforeAll(async () => {
    [temporal, mlflow] = await Promise.all([
      startTemporal({ dbFile }),
      startMlflow({ dir: path.join(state, 'mlflow') }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([temporal.stop(), mlflow.stop()]);
    rmSync(state, { recursive: true, force: true });
  });

  /** Long enough in training that the server is surely gone by the time it is needed again. */
  async function interrupted(outage: () => Promise<void>): Promise<void> {
    const env = { TEMPORAL_ADDRESS: temporal.address, MLFLOW_TRACKING_URI: mlflow.uri };
    const project = new TestProject({ train: { engine: 'ml-random-forest', n_estimators: 2000 } }, env);
    const registry = new RegistryView(project.model, mlflow.uri);
    try {
      const worker = await project.startWorker();
      const waiting = project.start('--wait');
      while ((await registry.runs()).length === 0) await sleep(50);
      await outage();
      const ended = await waiting;
      // A command that was waiting while the server was away may have given up; the run has not.
      const { result } = ended.result === undefined ? await project.start('--wait') : ended;
      expect(result).toMatchObject({ outcome: 'promoted', modelVersion: '1' });
      expect(await registry.runs()).toEqual([expect.objectContaining({ status: 'FINISHED' })]);
      expect(worker.log).not.toContain('unhandled');
    } finally {
      await project.remove();
      await registry.close();
    }
  }

  test('MLflow, for 30 s: the run completes by itself', async () => {
    await interrupted(async () => {
      const { port } = mlflow;
      await mlflow.kill();
      await sleep(30_000);
      mlflow = await startMlflow({ port, dir: path.join(state, 'mlflow') });
    });
  });

  test('Temporal, restarted: the run completes by itself', async () => {
    await interrupted(async () => {
      const { port } = temporal;
      await temporal.kill();
      temporal = await startTemporal({ port, dbFile });
    });
  });
});
