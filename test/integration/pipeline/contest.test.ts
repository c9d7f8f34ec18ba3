import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import {
  type ComputeOutput,
  type EvaluateOutput,
  type NoticeActivities,
  type PipelineActivities,
} from '../../../contracts/activities';
import { canonicalWorkflowId, WORKFLOW } from '../../../contracts/names';
import { type RunSpec, type TrainingResult } from '../../../contracts/run';
import { type DecideInput } from '../../../contracts/steward';
import { identifyRun } from '../../../pipeline/run/identify-run';
import { readStageCode } from '../../../pipeline/stage-code';
import { ROOT, TestProject } from './test-project';

jest.setTimeout(120_000);

const artifact = (name: string) => ({ name, sha256: '1'.repeat(64), md5: '2'.repeat(32), sizeBytes: 3 });
const computed: ComputeOutput = { artifacts: {}, metrics: {}, reused: false };

/** A registry whose production moves to another version after each of so many scorings. */
class MovingProduction {
  /** Whom the candidate was scored against, in order. */
  readonly scoredAgainst: (string | null)[] = [];
  /** What was asked to be promoted. */
  readonly asked: DecideInput[] = [];
  closedAs: string | undefined;
  private version = 1;

  /** Attempts at registering. */
  registered = 0;

  /** @param emptied how often the cache is empty when the model is to be registered */
  constructor(
    private moves: number,
    private emptied = 0,
  ) {}

  activities(): PipelineActivities & NoticeActivities {
    const unused = async (): Promise<never> => Promise.reject(new Error('not asked for here'));
    return {
      ...{ resolveRun: unused, followCanonicalRun: unused, sendNotice: unused },
      listChannels: async () => Promise.resolve([]),
      countPollers: async () => Promise.resolve({ pollers: 1 }),
      openRun: async () => Promise.resolve({ mlflowRunId: 'run', mlflowExperimentId: '1', finished: null }),
      preprocess: async () => Promise.resolve({ ...computed, rows: { train: 120, test: 30 } }),
      train: async () => Promise.resolve(computed),
      fetchChampion: async () =>
        Promise.resolve({
          version: String(this.version),
          artifacts: { 'champion.onnx': artifact(String(this.version)) },
        }),
      evaluate: async ({ artifacts }) => this.score(artifacts['champion.onnx']?.name ?? null),
      register: async () => {
        this.registered++;
        if (this.emptied-- > 0) {
          const gone = "model.onnx (22) is not in this worker's store; start again with --force";
          throw ApplicationFailure.retryable(gone, 'ARTIFACT_MISSING');
        }
        return Promise.resolve({ modelVersion: '99', metadata: artifact('model_metadata.json') });
      },
      askSteward: async (input) => {
        this.asked.push(input);
        const now = String(this.version);
        if (input.championVersion !== now) return Promise.resolve({ stale: true, championVersion: now });
        const reason = `better than version ${now}`;
        return Promise.resolve({
          stale: false,
          outcome: 'promoted',
          alias: 'production',
          reason,
          gate: [],
          comparison: null,
        });
      },
      closeRun: async ({ status }) => {
        this.closedAs = status;
        return Promise.resolve({ channels: [], unpublished: null });
      },
    };
  }

  private async score(champion: string | null): Promise<EvaluateOutput> {
    this.scoredAgainst.push(champion);
    const scores = {
      ...{ candidateMetrics: { accuracy: 0.9 }, championMetrics: { accuracy: 0.01 * Number(champion) } },
      ...{ championError: null, rows: 30 },
    };
    // Somebody else is promoted while this one is scored.
    if (this.moves-- > 0) this.version += 1;
    return Promise.resolve({ ...computed, ...scores });
  }
}

describe('a candidate while production moves', () => {
  const project = new TestProject();
  let connection: Connection;
  let native: NativeConnection;
  let spec: RunSpec;

  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
    const address = project.env['TEMPORAL_ADDRESS'] ?? '';
    connection = await Connection.connect({ address });
    native = await NativeConnection.connect({ address });
    const identity = await identifyRun({
      ...{ project: project.dir, paramsPath: 'params.yaml' },
      code: await readStageCode(path.join(ROOT, 'dist', 'stage-code.json')),
      imageDigest: async () => Promise.reject(new Error('no images here')),
    });
    spec = { ...identity, git: { commit: '', branch: '', dirty: false, remoteUrl: '' } };
  });
  afterAll(async () => {
    await native.close();
    await connection.close();
    await project.remove();
  });

  /** The real workflow against that registry. */
  async function run(production: MovingProduction): Promise<TrainingResult> {
    const taskQueue = `contest-${randomUUID()}`;
    const worker = await Worker.create({
      ...{ connection: native, taskQueue, activities: production.activities() },
      workflowBundle: { codePath: path.join(ROOT, 'dist', 'workflow-bundle.js') },
    });
    const model = `contest-${randomUUID().slice(0, 8)}`;
    const own = { ...spec, params: { ...spec.params, model } };
    return worker.runUntil(
      new Client({ connection }).workflow.execute<(input: { spec: RunSpec }) => Promise<TrainingResult>>(
        WORKFLOW.trainingPipeline,
        { taskQueue, workflowId: canonicalWorkflowId(model, own.pipelineKey), args: [{ spec: own }] },
      ),
    );
  }

  test('meets the champion once when it stays', async () => {
    const production = new MovingProduction(0);
    expect(await run(production)).toMatchObject({
      outcome: 'promoted',
      champion: { version: '1', metrics: { accuracy: 0.01 } },
    });
    expect(production.scoredAgainst).toEqual(['1']);
  });

  test('is scored again, against whoever is champion now, until the champion that it was scored against is still there', async () => {
    const production = new MovingProduction(2);
    expect(await run(production)).toMatchObject({
      outcome: 'promoted',
      reason: 'better than version 3',
      champion: { version: '3', metrics: { accuracy: 0.03 } },
    });
    expect(production.scoredAgainst).toEqual(['1', '2', '3']);
    expect(production.asked.map(({ championVersion }) => championVersion)).toEqual(['1', '2', '3']);
    expect(production.closedAs).toBe('FINISHED');
  });

  test('whose files are gone from the store when it is registered is made again, and goes on', async () => {
    const production = new MovingProduction(0, 1);
    expect(await run(production)).toMatchObject({ outcome: 'promoted', modelVersion: '99' });
    expect(production).toMatchObject({ registered: 2, scoredAgainst: ['1', '1'], closedAs: 'FINISHED' });
  });

  test('whose files are gone again fails at once, and says what to do', async () => {
    const production = new MovingProduction(0, 100);
    const failed: unknown = await run(production).catch((error: unknown) => error);
    expect((failed as Error & { cause?: Error }).cause?.cause).toMatchObject({
      type: 'ARTIFACT_MISSING',
      message: expect.stringContaining('start again with --force') as string,
    });
    expect(production).toMatchObject({ registered: 2, closedAs: 'FAILED' });
  });

  test('gives up after the twelfth time, says so, and its MLflow run is FAILED', async () => {
    const production = new MovingProduction(100);
    const failed: unknown = await run(production).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(WorkflowFailedError);
    expect((failed as WorkflowFailedError).cause?.message).toMatch(
      /^production of contest-\S+ moved 12 times while version 99 was compared with it; start again$/,
    );
    expect(production.scoredAgainst).toHaveLength(12);
    expect(production.closedAs).toBe('FAILED');
  });
});
