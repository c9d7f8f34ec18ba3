import { Client, Connection } from '@temporalio/client';
import { LedgerMirror } from '../../../integrations/mlflow/ledger-mirror';
import { firstBreak } from '../../../ml/ledger/chain';
import { RegistryView } from '../pipeline/registry-view';
import { sleep, TestProject, type WorkerProcess } from '../pipeline/test-project';
import { Candidates, type TestCandidate } from './candidates';
import { CutOff } from './cut-off';
import { StewardView } from './steward-view';
import { nightly } from '../../tools/nightly';

jest.setTimeout(600_000);

/** So many kills and outages at most: the rest of the asks see calm. */
const TROUBLES = 12;

describe('candidates of one model', () => {
  let connection: Connection;
  let client: Client;

  beforeAll(async () => {
    connection = await Connection.connect({ address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '' });
    client = new Client({ connection });
  });
  afterAll(async () => {
    await connection.close();
  });

  test('of two better ones that ask at once, the best of the three ends in production', async () => {
    const project = new TestProject();
    const registry = new RegistryView(project.model);
    try {
      await project.startWorker();
      const candidates = new Candidates(project, registry.mlflow, client);
      const first = await candidates.register(0.91);
      expect(await candidates.contest(first)).toMatchObject({ outcome: 'promoted', alias: 'production' });
      const [good, best] = [await candidates.register(0.95), await candidates.register(0.97)];
      const outputs = await Promise.all([
        candidates.contest(best, first.version),
        candidates.contest(good, first.version),
      ]);
      expect(outputs[0]).toMatchObject({ outcome: 'promoted' });
      const production = await registry.mlflow.registry.findByAlias(project.model, 'production');
      expect(production).toMatchObject({ version: best.version, stage: 'Production' });
      const [, , replaced] = await registry.versions();
      expect(replaced).toMatchObject({ version: first.version, stage: 'Archived' });
      expect(replaced?.tags['replaced_by']).toMatch(/^[23]$/);
      expect(firstBreak(await new StewardView(client, project.model).ledger())).toBeNull();
    } finally {
      await project.remove();
      await registry.close();
    }
  });

  test('an ask whose answer was lost gets the same answer, and one entry', async () => {
    const project = new TestProject();
    const registry = new RegistryView(project.model);
    try {
      await project.startWorker();
      const candidates = new Candidates(project, registry.mlflow, client);
      const candidate = await candidates.register(0.91);
      const answers = await Promise.all([
        candidates.ask(candidate, null, 'same'),
        candidates.ask(candidate, null, 'same'),
      ]);
      expect(answers[0]).toEqual(answers[1]);
      expect(await candidates.ask(candidate, null, 'same')).toEqual(answers[0]);
      expect((await new StewardView(client, project.model).standing()).entries).toBe(1);
    } finally {
      await project.remove();
      await registry.close();
    }
  });

  nightly(
    '40 of random quality, while the worker is killed and MLflow is cut off: the best is in production, the ledger is whole',
    async () => {
      const way = await CutOff.to(process.env['RETRAIN_TEST_MLFLOW_URI'] ?? '');
      const project = new TestProject({}, { MLFLOW_TRACKING_URI: way.uri });
      const registry = new RegistryView(project.model);
      const view = new StewardView(client, project.model);
      const trouble = { over: false };
      try {
        const candidates = new Candidates(project, registry.mlflow, client);
        const all: TestCandidate[] = [];
        for (let i = 0; i < 40; i++) all.push(await candidates.register(0.9 + Math.random() / 10));
        let worker = await project.startWorker();
        const asked = Promise.all(all.map((candidate) => candidates.contest(candidate)));
        const troubled = makeTrouble(async () => (worker = await again(project, worker)), way, trouble);
        const outputs = await asked;
        trouble.over = true;
        await troubled;

        const best = all.reduce((a, b) => (b.quality > a.quality ? b : a));
        const production = await registry.mlflow.registry.findByAlias(project.model, 'production');
        expect(production?.version).toBe(best.version);

        await view.untilMirrored();
        const entries = await view.ledger();
        expect(firstBreak(entries)).toBeNull();
        expect(entries.map(({ version }) => version).sort()).toEqual(
          all.map(({ version }) => version).sort(),
        );
        const mirror = await new LedgerMirror(registry.mlflow).read(project.model);
        expect(mirror).toEqual({ entries, claimed: { entries: 40, head: entries.at(-1)?.hash } });

        const versions = await registry.versions();
        for (const [i, { version }] of all.entries()) {
          const entry = entries.find((one) => one.version === version);
          const output = outputs[i];
          expect(output).toMatchObject({ stale: false, outcome: entry?.event, reason: entry?.reason });
          expect(versions.find((one) => one.version === version)?.tags).toMatchObject({
            promoted: String(entry?.event === 'promoted'),
            promotion_reason: entry?.reason,
            ledger_entry: String(entry?.index),
          });
        }
      } finally {
        trouble.over = true;
        await project.remove();
        await registry.close();
        await way.close();
      }
    },
  );

  async function again(project: TestProject, worker: WorkerProcess): Promise<WorkerProcess> {
    await worker.kill();
    return project.startWorker();
  }

  /** Kills the worker, or cuts MLflow off for a while, again and again. */
  async function makeTrouble(
    kill: () => Promise<unknown>,
    way: CutOff,
    state: { over: boolean },
  ): Promise<void> {
    for (let time = 0; time < TROUBLES && !state.over; time++) {
      await sleep(Math.random() * 2000);
      if (state.over) break;
      if (Math.random() < 0.4) await kill();
      else {
        way.cut();
        await sleep(Math.random() * 1500);
        way.mend();
      }
    }
  }
});
