import { Context } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import path from 'node:path';
import { RetrainError } from '../../../contracts/errors';
import { WORKFLOW } from '../../../contracts/names';
import { TrainingResult } from '../../../contracts/run';
import { type RunningWorker, startWorker } from '../../../worker/worker';
import { type Services } from '../../../worker/compose';
import { loadWorkerConfig } from '../../../worker/config';
import { RegistryView } from './registry-view';
import { ROOT, TestProject } from './test-project';

jest.setTimeout(600_000);

type When = 'before' | 'after';

interface Fault {
  /** Which effect of the run, counted from 1. */
  effect: number;
  /** `after`: it took place, and its answer was lost. */
  when: When;
}

/** Effects of each run so far, by name, and the fault that is planned for it; by workflow id. */
const effects = new Map<string, string[]>();
const faults = new Map<string, Fault>();
/** Runs whose fault came to pass. */
const hits = new Set<string>();
let runs = 0;

/** Counts the calls of a run to an outside system, and fails the one that the run's fault names, once. */
function counted<T extends object>(service: T, name: string): T {
  return new Proxy(service, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function') {
        return typeof member === 'object' &&
          member !== null &&
          ['runs', 'experiments', 'artifacts', 'registry'].includes(String(property))
          ? counted(member, `${name}.${String(property)}`)
          : member;
      }
      return (...args: unknown[]): unknown => {
        const call = (): unknown => Reflect.apply(member, target, args);
        const run = currentRun();
        return run === undefined || String(property) === 'pathOf'
          ? call()
          : withFault(run, `${name}.${String(property)}`, call);
      };
    },
  });
}

function currentRun(): string | undefined {
  try {
    return Context.current().info.workflowExecution?.workflowId;
  } catch {
    return undefined;
  }
}

async function withFault(run: string, name: string, call: () => unknown): Promise<unknown> {
  const seen = effects.get(run) ?? [];
  effects.set(run, seen);
  seen.push(name);
  const fault = faults.get(run);
  const hit = fault?.effect === seen.length ? fault.when : undefined;
  const error = new RetrainError('MLFLOW_UNREACHABLE', `injected ${hit} effect ${seen.length}, ${name}`);
  if (hit !== undefined) hits.add(run);
  if (hit === 'before') throw error;
  const answer = await call();
  if (hit === 'after') throw error;
  return answer;
}

describe('an error before or after each effect of a run', () => {
  const project = new TestProject({
    train: { n_estimators: 3 },
    gate: { accuracy: 0.5 },
    retry: { initial_interval: '50ms' },
  });
  let worker: RunningWorker;
  let connection: Connection;
  let client: Client;

  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
    const before = { ...process.env };
    Object.assign(process.env, project.env);
    const config = {
      ...loadWorkerConfig(project.dir),
      workflowBundle: path.join(ROOT, 'dist', 'workflow-bundle.js'),
      stageCodeFile: path.join(ROOT, 'dist', 'stage-code.json'),
      threadEntry: path.join(ROOT, 'dist', 'stages', 'thread-entry.js'),
    };
    process.env = before;
    worker = await startWorker(config, new DefaultLogger('ERROR', () => undefined), (services: Services) => ({
      ...services,
      mlflow: counted(services.mlflow, 'mlflow'),
      store: counted(services.store, 'store'),
      results: counted(services.results, 'results'),
    }));
    connection = await Connection.connect({ address: config.temporal.address });
    client = new Client({ connection });
  });
  afterAll(async () => {
    worker.shutdown();
    await worker.done;
    await connection.close();
    await project.remove();
  });

  /** One run under its own model and its canonical id, so that the fault meets it and nobody else. */
  async function train(model: string, fault?: Fault): Promise<TrainingResult> {
    const seed = ++runs;
    // Seeds of its own: a run that reuses the stages of another has fewer effects.
    const overrides = { model, experiment: model, preprocess: { seed }, train: { seed } };
    const id = await canonicalId(overrides);
    if (fault !== undefined) faults.set(id, fault);
    const result: unknown = await client.workflow.execute(WORKFLOW.trainingPipeline, {
      taskQueue: project.taskQueue,
      workflowId: id,
      args: [{ overrides }],
    });
    return TrainingResult.parse(result);
  }

  async function canonicalId(overrides: { model: string; train: { seed: number } }): Promise<string> {
    const { model, train } = overrides;
    const settings = [
      `model=${model}`,
      `experiment=${model}`,
      `preprocess.seed=${train.seed}`,
      `train.seed=${train.seed}`,
    ];
    const set = settings.flatMap((setting) => ['--set', setting]);
    const { stdout } = await project.cli(['plan', '--json', ...set]);
    const { pipelineKey } = JSON.parse(stdout) as { pipelineKey: string };
    return `train-${model}-${pipelineKey.slice(0, 16)}`;
  }

  test('leaves one MLflow run and one version, in production', async () => {
    const whole = await train(`${project.model}-whole`);
    const count = effects.get(whole.workflowId)?.length ?? 0;
    expect(count).toBeGreaterThan(20);
    const cases = Array.from({ length: count }, (_, i) => i + 1).flatMap((effect): Fault[] => [
      { effect, when: 'before' },
      { effect, when: 'after' },
    ]);
    for (let at = 0; at < cases.length; at += 8) {
      await Promise.all(cases.slice(at, at + 8).map(survives));
    }
  });

  async function survives(fault: Fault): Promise<void> {
    const model = `${project.model}-${fault.effect}-${fault.when}`;
    const registry = new RegistryView(model);
    try {
      const result = await train(model, fault);
      const mlflowRuns = await registry.runs();
      const versions = await registry.versions();
      expect({
        fault: `${fault.when} ${effects.get(result.workflowId)?.[fault.effect - 1]}`,
        hit: hits.has(result.workflowId),
        outcome: result.outcome,
        runs: mlflowRuns.map(({ status }) => status),
        versions: versions.map(({ version, aliases }) => [version, ...aliases]),
      }).toEqual({
        fault: expect.any(String) as string,
        hit: true,
        outcome: 'promoted',
        runs: ['FINISHED'],
        versions: [['1', 'production']],
      });
    } finally {
      await registry.close();
    }
  }
});
