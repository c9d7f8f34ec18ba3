import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startMlflow, startTemporal } from '../integration/stack/servers';
import { RegistryView } from '../integration/pipeline/registry-view';
import { sleep, TestProject } from '../integration/pipeline/test-project';

jest.setTimeout(600_000);

describe('a server that goes away in mid-run', () => {
  const state = mkdtempSync(path.join(tmpdir(), 'retrain-outage-'));
  afterAll(() => rmSync(state, { recursive: true, force: true }));

  /** Long enough in training that the server is surely gone by the time it is needed again. */
  async function interrupted(env: Record<string, string>, outage: () => Promise<void>): Promise<string> {
    const project = new TestProject({ train: { engine: 'ml-random-forest', n_estimators: 2000 } }, env);
    const registry = new RegistryView(project.model, env['MLFLOW_TRACKING_URI']);
    try {
      const worker = await project.startWorker();
      const waiting = project.start('--wait');
      while ((await registry.runs()).length === 0) await sleep(50);
      await outage();
      const ended = await waiting;
      expect(ended).toMatchObject({ code: 0, result: { outcome: 'promoted', modelVersion: '1' } });
      expect(await registry.runs()).toEqual([expect.objectContaining({ status: 'FINISHED' })]);
      expect(worker.log).not.toContain('unhandled');
      return ended.stderr;
    } finally {
      await project.remove();
      await registry.close();
    }
  }

  // Each has the server that goes away for itself, so that both can be away at the same time.
  test.concurrent('MLflow, for 30 s: the run completes by itself', async () => {
    const dir = path.join(state, 'mlflow');
    let mlflow = await startMlflow({ dir });
    try {
      await interrupted({ MLFLOW_TRACKING_URI: mlflow.uri }, async () => {
        const { port } = mlflow;
        await mlflow.kill();
        await sleep(30_000);
        mlflow = await startMlflow({ port, dir });
      });
    } finally {
      await mlflow.stop();
    }
  });

  test.concurrent(
    'Temporal, for 30 s: whoever waits for the run waits on, is told so, and gets its result',
    async () => {
      const dbFile = path.join(state, 'temporal.db');
      let temporal = await startTemporal({ dbFile });
      try {
        const told = await interrupted({ TEMPORAL_ADDRESS: temporal.address }, async () => {
          const { port } = temporal;
          await temporal.kill();
          await sleep(30_000);
          temporal = await startTemporal({ port, dbFile });
        });
        expect(told).toContain('Temporal is away');
        expect(told).toContain('Temporal is back');
      } finally {
        await temporal.stop();
      }
    },
  );
});
