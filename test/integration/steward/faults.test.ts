import { readdirSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { stewardWorkflowId, UPDATE } from '../../../contracts/names';
import { type HandAnswer } from '../../../contracts/steward';
import { createMlflow, type Mlflow } from '../../../integrations/mlflow/client';
import { mlflowSettings } from '../../../integrations/mlflow/settings';
import { firstBreak } from '../../../ml/ledger/chain';
import { askSteward } from '../../../temporal/ask-steward';
import { type WorkerConfig } from '../../../worker/config';
import { type RunningWorker, startWorker } from '../../../worker/worker';
import { MemoryMlflow } from '../../integrations/mlflow/memory-mlflow';
import { type Fault, FaultSeam, type Kind } from '../pipeline/fault-seam';
import { TestProject } from '../pipeline/test-project';
import { workerConfigOf } from '../pipeline/worker-config';
import { Candidates, type TestCandidate } from './candidates';
import { StewardView } from './steward-view';
import { isNightly } from '../../tools/nightly';

jest.setTimeout(600_000);

const silent = new DefaultLogger('ERROR', () => undefined);
const ALL: readonly Kind[] = ['error', 'crash', 'time-out'];

/** What people ask of a steward, and how the model stands before and after. Versions 1 and 2 were production, in this order. */
interface Ask {
  name: string;
  kinds: readonly Kind[];
  /** Of the steward's activities: whose effects are met by faults. */
  own: RegExp;
  /** Before the faults begin. */
  prepare?: (scene: Scene) => Promise<void>;
  ask: (scene: Scene) => Promise<HandAnswer>;
  event: string;
  /** Version: stage and aliases. */
  standing: Record<string, string[]>;
  /** Tags of versions. */
  tags: Record<string, Record<string, string>>;
}

/** A model of its own for each fault. */
interface Scene {
  model: string;
  candidates: Candidates;
  view: StewardView;
  hand: (update: (typeof UPDATE)[keyof typeof UPDATE], args: object) => Promise<HandAnswer>;
}

const BY = { by: 'ann', reason: 'because' };

/** A third version that has won and waits. */
async function waits({ candidates }: Scene): Promise<void> {
  const like = await candidates.register(0.97);
  const promote = { ...like.spec.params.promote, approval: 'required' as const };
  const spec: TestCandidate['spec'] = { ...like.spec, params: { ...like.spec.params, promote } };
  expect(await candidates.contest({ ...like, spec }, '2')).toMatchObject({ outcome: 'awaiting_approval' });
}

const MOVED = /^(moveByHand|observeProduction):/;

const ASKS: readonly Ask[] = [
  {
    ...{ name: 'a rollback', kinds: ALL, own: MOVED, event: 'rolled_back' },
    ask: ({ hand }) => hand(UPDATE.rollback, BY),
    standing: { 1: ['Production', 'production'], 2: ['Archived', 'previous-production'] },
    tags: {
      1: { promoted: 'true', replaced_by: '', rolled_back: '', ledger_entry: '2' },
      2: { replaced_by: '1', rolled_back: 'by ann: because', ledger_entry: '1' },
    },
  },
  {
    ...{ name: 'a promotion by hand', kinds: ['crash'], own: MOVED, event: 'promoted_by_hand' },
    ask: ({ hand }) => hand(UPDATE.promote, { ...BY, version: '1' }),
    standing: { 1: ['Production', 'production'], 2: ['Archived', 'previous-production'] },
    tags: {
      1: { promoted: 'true', promotion_reason: 'promoted by ann: because', ledger_entry: '2' },
      2: { replaced_by: '1' },
    },
  },
  {
    ...{ name: 'an approval', kinds: ['crash'], own: MOVED, event: 'approved', prepare: waits },
    ask: ({ hand }) => hand(UPDATE.approve, { ...BY, version: '3' }),
    standing: {
      1: ['Archived'],
      2: ['Archived', 'previous-production'],
      3: ['Production', 'production', 'staging'],
    },
    tags: { 2: { replaced_by: '3' }, 3: { promoted: 'true', ledger_entry: '3' } },
  },
  {
    ...{ name: 'a rejection', kinds: ['crash'], own: /^closeApproval:/, event: 'rejected', prepare: waits },
    ask: ({ hand }) => hand(UPDATE.reject, { ...BY, version: '3' }),
    standing: {
      1: ['Archived', 'previous-production'],
      2: ['Production', 'production'],
      3: ['Staging', 'staging'],
    },
    tags: { 3: { promoted: 'false', promotion_reason: 'rejected by ann: because', ledger_entry: '3' } },
  },
];

describe('a fault before or after each effect of what people ask of a steward', () => {
  const project = new TestProject();
  const seam = new FaultSeam();
  let mlflow: Mlflow;
  let config: WorkerConfig;
  let worker: RunningWorker;
  let connection: Connection;
  let client: Client;
  let made = 0;

  beforeAll(async () => {
    Runtime.install({ logger: silent });
    config = workerConfigOf(project);
    mlflow = createMlflow(mlflowSettings({ MLFLOW_TRACKING_URI: 'http://memory' }), {
      exchange: new MemoryMlflow(),
    });
    worker = await startWorker(config, silent, (services) => seam.wrap({ ...services, mlflow }));
    connection = await Connection.connect({ address: config.temporal.address });
    client = new Client({ connection });
  });
  afterAll(async () => {
    await ended();
    await connection.close();
    await project.remove();
  });

  let isEnding = false;

  /** Once everything has ended that was going on. */
  async function ended(): Promise<void> {
    if (!isEnding) {
      isEnding = true;
      seam.end();
      worker.shutdown();
    }
    await worker.done;
  }

  async function scene({ prepare }: Ask): Promise<Scene> {
    const model = `${project.model}-${++made}`;
    const { taskQueue } = project;
    const candidates = new Candidates(
      { model, taskQueue, path: (file) => project.path(file) },
      mlflow,
      client,
    );
    const set: Scene = {
      ...{ model, candidates, view: new StewardView(client, model) },
      hand: (update, args) => askSteward<HandAnswer>({ client, taskQueue, model, update, args }),
    };
    await candidates.contest(await candidates.register(0.91));
    await candidates.contest(await candidates.register(0.95), '1');
    await prepare?.(set);
    seam.effects.delete(stewardWorkflowId(model));
    return set;
  }

  /** What the registry and the ledger say of a model. */
  async function told(model: string, tags: Ask['tags']): Promise<unknown> {
    const versions = await mlflow.registry.listVersions(model);
    return {
      standing: Object.fromEntries(
        versions.map(({ version, stage, aliases }) => [version, [stage, ...aliases.sort()]]),
      ),
      tags: Object.fromEntries(
        Object.entries(tags).map(([version, wanted]) => {
          const its = versions.find((one) => one.version === version)?.tags ?? {};
          return [version, Object.fromEntries(Object.keys(wanted).map((key) => [key, its[key]]))];
        }),
      ),
    };
  }

  test('nothing is half done afterwards: aliases, stages, tags and ledger agree, and there is one entry', async () => {
    const jobs: { ask: Ask; fault: Fault; scene: Scene }[] = [];
    for (const ask of ASKS) {
      const whole = await scene(ask);
      await ask.ask(whole);
      expect(await told(whole.model, ask.tags)).toEqual({ standing: ask.standing, tags: ask.tags });
      const effects = seam.effects.get(stewardWorkflowId(whole.model)) ?? [];
      const faults = effects
        .filter((effect) => ask.own.test(effect))
        .flatMap((effect) =>
          ask.kinds.flatMap((kind) =>
            (['before', 'after'] as const).map((when): Fault => ({ effect, when, kind })),
          ),
        );
      expect(faults.length).toBeGreaterThan(1);
      const tried = faults.filter((_, i) => isNightly || i % 3 === 0);
      const scenes = await Promise.all(tried.map(() => scene(ask)));
      for (const [i, fault] of tried.entries()) jobs.push({ ask, fault, scene: scenes[i]! });
    }
    console.info(`${jobs.length} faults`);
    for (const { scene: set, fault } of jobs) {
      // A steward looks at production by itself each minute; what it did meanwhile is not counted.
      seam.effects.delete(stewardWorkflowId(set.model));
      seam.plan(stewardWorkflowId(set.model), [fault]);
    }
    const answers = await Promise.all(jobs.map(({ ask, scene: set }) => ask.ask(set)));
    expect(jobs.flatMap(({ scene: { model } }) => seam.missed(stewardWorkflowId(model)))).toEqual([]);
    const ledgers = await Promise.all(jobs.map(({ scene: { view } }) => view.ledger()));
    // What was cut off goes on, late, before the worker may end.
    await ended();
    for (const [i, { ask, fault, scene: set }] of jobs.entries()) {
      const entries = ledgers[i] ?? [];
      const by = entries.filter(({ event }) => event === ask.event);
      expect({ ask: ask.name, fault, by, broken: firstBreak(entries) }).toEqual({
        ...{ ask: ask.name, fault, by: [answers[i]?.entry], broken: null },
      });
      expect({ fault, ...((await told(set.model, ask.tags)) as object) }).toEqual({
        ...{ fault, standing: ask.standing, tags: ask.tags },
      });
      expect(entries.at(-1)?.to).toBe(
        Object.keys(ask.standing).find((version) => ask.standing[version]?.includes('production')),
      );
    }
    expect(readdirSync(config.scratchDir)).toEqual([]);
  });
});
