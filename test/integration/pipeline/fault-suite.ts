import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { parse, stringify } from 'yaml';
import { ContainerStages } from '../../../activities/container-stages';
import { WORKFLOW } from '../../../contracts/names';
import { TrainingResult } from '../../../contracts/run';
import { type ContainerRun } from '../../../integrations/docker/container-executor';
import { createMlflow, type Mlflow } from '../../../integrations/mlflow/client';
import { mlflowSettings } from '../../../integrations/mlflow/settings';
import { identifyRun } from '../../../pipeline/run/identify-run';
import { readStageCode, type StageCode } from '../../../pipeline/stage-code';
import { type Services } from '../../../worker/compose';
import { type WorkerConfig } from '../../../worker/config';
import { type RunningWorker, startWorker } from '../../../worker/worker';
import { MemoryMlflow } from '../../integrations/mlflow/memory-mlflow';
import { type Fault, FaultSeam, type Kind } from './fault-seam';
import { TestProject } from './test-project';
import { workerConfigOf } from './worker-config';

const KINDS: readonly Kind[] = ['error', 'crash', 'time-out'];
const DIGEST = `sha256:${'a'.repeat(64)}`;
const silent = new DefaultLogger('ERROR', () => undefined);

/** Worse than any forest, on any split: one tree with one question, which leaves two of the three classes together. */
export const STUMP = { n_estimators: 1, max_depth: 1 };

/** A kind of run, and what is special about it. */
export interface Shape {
  name: string;
  params: string;
  /** Started under another id, it hands over to the canonical run. */
  follows: boolean;
  /** Its effects that are of interest. */
  own: RegExp;
  /** Changes to params.yaml. */
  set?: Record<string, unknown>;
  /** Another run of the model comes first, without faults, which is the champion then. */
  second?: true;
  /** What its runs come to; absent: they are promoted. */
  outcomes?: readonly TrainingResult['outcome'][];
}

/** One run under its own model, so that its faults meet it and nobody else. */
interface Job {
  shape: Shape;
  model: string;
  overrides: Record<string, unknown>;
  /** The run whose effects count: the canonical one, or the one that follows it. */
  workflowId: string;
  faults: readonly Fault[];
}

/** The SDK has one per process. */
let installed = false;

/** What befalls an effect: each kind of fault before and after it, or one kind at one side, others at the next effect. */
export type Thoroughness = 'each kind' | 'in turn';

/**
 * Faults before and after each effect of runs of these shapes, each fault once; then a look at what each run left.
 *
 * @param told how many faults there were
 */
export function describeFaults(
  title: string,
  shapes: readonly Shape[],
  thoroughness: Thoroughness,
  told: (faults: number) => void,
): void {
  describe(title, () => {
    const project = new TestProject({
      train: { n_estimators: 3 },
      gate: { accuracy: 0.5 },
      retry: { initial_interval: '50ms' },
    });
    const seam = new FaultSeam();
    const memory = new MemoryMlflow();
    let mlflow: Mlflow;
    let config: WorkerConfig;
    let code: StageCode;
    let worker: RunningWorker;
    let connection: Connection;
    let client: Client;
    let made = 0;

    beforeAll(async () => {
      if (!installed) Runtime.install({ logger: silent });
      installed = true;
      config = workerConfigOf(project);
      await writeContainerParams();
      mlflow = createMlflow(mlflowSettings({ MLFLOW_TRACKING_URI: 'http://memory' }), { exchange: memory });
      code = await readStageCode(config.stageCodeFile);
      worker = await startWorker(config, silent, (services) => seam.wrap(onTheSpot(services, mlflow)));
      connection = await Connection.connect({ address: config.temporal.address });
      client = new Client({ connection });
    });
    afterAll(async () => {
      await connection.close();
      await project.remove();
    });

    async function writeContainerParams(): Promise<void> {
      const place = { executor: 'container', image: 'retrain/elsewhere:1' };
      const params = parse(readFileSync(project.path('params.yaml'), 'utf8')) as object;
      await writeFile(
        project.path('container.yaml'),
        stringify({ ...params, train: { ...place, n_estimators: 3 } }),
      );
    }

    async function job(shape: Shape, faults: readonly Fault[] = []): Promise<Job> {
      const number = ++made;
      const model = `${project.model}-${number}`;
      // Data of its own: a run that finds its data stored and its stages known has fewer effects.
      const data = { path: `data/iris-${number}.csv` };
      const [header = '', ...rows] = readFileSync(project.path('data/iris.csv'), 'utf8').trim().split('\n');
      const more = Array.from({ length: number }, (_, i) => rows[i % rows.length]);
      await writeFile(project.path(data.path), `${[header, ...rows, ...more].join('\n')}\n`);
      const overrides = { model, experiment: model, data, ...shape.set };
      const { pipelineKey } = await identifyRun({
        ...{ project: project.dir, paramsPath: shape.params, overrides, code },
        imageDigest: async () => Promise.resolve(DIGEST),
      });
      const canonical = `train-${model}-${pipelineKey.slice(0, 16)}`;
      return { shape, model, overrides, faults, workflowId: shape.follows ? `clicked-${model}` : canonical };
    }

    async function run({ shape, overrides, workflowId, faults }: Job): Promise<TrainingResult> {
      if (shape.second === true) {
        const first = { ...overrides, train: STUMP };
        await client.workflow.execute(WORKFLOW.trainingPipeline, {
          ...{ taskQueue: project.taskQueue, workflowId: `first-${workflowId}` },
          args: [{ params: shape.params, overrides: first }],
        });
      }
      seam.plan(workflowId, faults);
      const result: unknown = await client.workflow.execute(WORKFLOW.trainingPipeline, {
        taskQueue: project.taskQueue,
        workflowId,
        args: [{ params: shape.params, overrides }],
      });
      return TrainingResult.parse(result);
    }

    /** What MLflow holds of it. */
    async function kept(model: string): Promise<{ runs: string[]; versions: string[][] }> {
      const experiment = await mlflow.experiments.find(model);
      const runs = experiment === null ? [] : await mlflow.runs.list([experiment], 100);
      const versions = await mlflow.registry.listVersions(model);
      return {
        runs: runs.map(({ status }) => status),
        versions: versions.map(({ version, aliases }) => [version, ...aliases]),
      };
    }

    test('leaves one MLflow run, one version in production, and nothing in the scratch folder', async () => {
      const jobs: Job[] = [];
      for (const shape of shapes) {
        const whole = await job(shape);
        await run(whole);
        const effects = seam.effects.get(whole.workflowId) ?? [];
        const own = effects.filter((effect) => shape.own.test(effect));
        for (const faults of together(own, thoroughness)) jobs.push(await job(shape, faults));
      }
      const faults = jobs.flatMap((one) => one.faults);
      console.info(`${faults.length} faults in ${jobs.length} runs`);
      told(faults.length);
      const outcomes = await Promise.all(jobs.map(run));
      jobs.forEach(({ shape }, at) => {
        expect(shape.outcomes ?? ['promoted']).toContain(outcomes[at]?.outcome);
        expect(outcomes[at]?.modelVersion).toBe(shape.second === true ? '2' : '1');
      });
      expect(jobs.flatMap(({ workflowId }) => seam.missed(workflowId))).toEqual([]);
      // What was cut off goes on, late, before the worker may end.
      seam.end();
      worker.shutdown();
      await worker.done;
      for (const [at, { model, shape, faults: met }] of jobs.entries()) {
        // None lost, none doubled, none open.
        const { runs, versions } = await kept(model);
        const made = shape.second === true ? ['2', '1'] : ['1'];
        expect({ shape: shape.name, met, runs, versions: versions.map(([version]) => version) }).toEqual({
          ...{ shape: shape.name, met, runs: made.map(() => 'FINISHED'), versions: made },
        });
        const inProduction = versions.filter(([, ...aliases]) => aliases.includes('production'));
        expect({ met, inProduction: inProduction.map(([version]) => version) }).toEqual({
          ...{ met, inProduction: productionAfter(shape, outcomes[at]?.outcome) },
        });
      }
      expect(readdirSync(config.scratchDir)).toEqual([]);
    });
  });
}

/** What is production after a run that came to this. */
function productionAfter(shape: Shape, outcome: TrainingResult['outcome'] | undefined): string[] {
  const own = shape.second === true ? '2' : '1';
  if (outcome === 'promoted') return [own];
  return shape.second === true ? ['1'] : [];
}

/**
 * All faults of a run's effects, in as few runs as meet them all: each activity is tried again by itself, so that one fault of each can
 * befall the same run.
 */
function together(effects: readonly string[], thoroughness: Thoroughness): Fault[][] {
  const runs: Fault[][] = [];
  const next = new Map<string, number>();
  for (const [number, effect] of effects.entries()) {
    const activity = effect.split(':')[0] ?? '';
    for (const [k, kind] of KINDS.entries()) {
      for (const [w, when] of (['before', 'after'] as const).entries()) {
        if (thoroughness === 'in turn' && (k !== number % KINDS.length || w !== number % 2)) continue;
        const at = next.get(activity) ?? 0;
        next.set(activity, at + 1);
        (runs[at] ??= []).push({ effect, when, kind });
      }
    }
  }
  return runs;
}

/** The services with an MLflow in memory, and containers whose stages run in this worker's threads: their place in the run is what counts here. */
function onTheSpot(services: Services, mlflow: Mlflow): Services {
  const executor = {
    run: async (job: ContainerRun) => {
      const { stage, dir, signal } = job;
      await job.prepare();
      const onProgress: ContainerRun['onProgress'] = (progress) => job.onProgress(progress);
      const { durationMs } = await services.executor.run(stage, dir, { signal, onProgress });
      const logFile = path.join(dir, 'stage.log');
      await writeFile(logFile, 'done\n');
      return { durationMs, logFile };
    },
  };
  return {
    ...services,
    mlflow,
    containers: {
      digestOf: async () => Promise.resolve(DIGEST),
      stages: (keepLog) => new ContainerStages({ executor, keepLog }),
    },
  };
}
