import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Client } from '@temporalio/client';
import { parse } from 'yaml';
import { type EvaluateOutput, type PromoteOutput } from '../../../contracts/activities';
import { UPDATE } from '../../../contracts/names';
import { Params } from '../../../contracts/params';
import { type RunSpec } from '../../../contracts/run';
import { type Evaluation, type Metrics } from '../../../contracts/stage';
import { type DecideInput } from '../../../contracts/steward';
import { type Mlflow } from '../../../integrations/mlflow/client';
import { contestOf, decidePromotion } from '../../../ml/gate/decide-promotion';
import { askSteward } from '../../../temporal/ask-steward';
import { type TestProject } from '../pipeline/test-project';

const hash = (): string => randomUUID().replaceAll('-', '').repeat(2);

/** A registered version with a quality of its own, which asks the steward as a pipeline does. */
export interface TestCandidate {
  version: string;
  quality: number;
  spec: RunSpec;
  mlflowRunId: string;
}

/** Makes candidates of a test project without training them: what the steward sees of a run is its registered version and its scores. */
export class Candidates {
  /** Accuracy by version. */
  readonly quality = new Map<string, number>();

  constructor(
    private readonly project: Pick<TestProject, 'model' | 'taskQueue' | 'path'>,
    private readonly mlflow: Mlflow,
    private readonly client: Client,
  ) {}

  /** A version with a run and files. */
  async register(quality: number, change: Partial<RunSpec> = {}): Promise<TestCandidate> {
    const { model, taskQueue } = this.project;
    const spec = this.spec(change);
    const { runs, artifacts, registry, experiments } = this.mlflow;
    const experimentId = await experiments.ensure(taskQueue);
    const run = await runs.findOrCreateTagged(experimentId, 'candidate', ['candidate', randomUUID()]);
    await artifacts.uploadBytes(run.artifactUri, 'model/MLmodel', Buffer.from(`run_id: ${run.runId}\n`));
    const { version } = await registry.findOrCreateVersion({
      name: model,
      runId: run.runId,
      source: `runs:/${run.runId}/model`,
      tags: { pipeline_key: spec.pipelineKey, gate_passed: 'true' },
    });
    this.quality.set(version, quality);
    return { version, quality, spec, mlflowRunId: run.runId };
  }

  /** Asks as a pipeline does: against the champion that it knows of, and again when that is stale. */
  async contest(candidate: TestCandidate, firstChampion: string | null = null): Promise<PromoteOutput> {
    let champion = firstChampion;
    const workflowId = `train-${candidate.version}-${randomUUID()}`;
    for (let comparison = 1; ; comparison++) {
      const output = await this.ask(candidate, champion, `${workflowId}-${comparison}`, workflowId);
      if (!output.stale) return output;
      champion = output.championVersion;
    }
  }

  /** One ask. */
  async ask(
    candidate: TestCandidate,
    champion: string | null,
    id: string = randomUUID(),
    workflowId = `train-${candidate.version}`,
  ): Promise<PromoteOutput> {
    const { model, taskQueue } = this.project;
    const { spec, version: modelVersion, mlflowRunId } = candidate;
    const args: DecideInput = {
      ...{ id, spec, modelVersion, workflowId, mlflowRunId, mlflowExperimentId: '0' },
      championVersion: champion,
      evaluated: this.evaluated(candidate, champion),
      decision: decidePromotion(contestOf(spec.params, this.evaluation(candidate, champion), champion)),
    };
    return askSteward({ client: this.client, taskQueue, model, update: UPDATE.decide, args, id });
  }

  /** An ask of a worker that left the decision to the steward's, of an evaluation that no store has any more. */
  async askWithLostEvaluation(candidate: TestCandidate): Promise<PromoteOutput> {
    const { model, taskQueue } = this.project;
    const { spec, version: modelVersion, mlflowRunId } = candidate;
    const evaluation = {
      ...{ name: 'evaluation.json', sha256: hash(), md5: hash().slice(0, 32), sizeBytes: 7 },
    };
    const evaluated = { ...this.evaluated(candidate, null), artifacts: { [evaluation.name]: evaluation } };
    const workflowId = `train-${modelVersion}`;
    const args: DecideInput = {
      ...{ id: randomUUID(), spec, modelVersion, workflowId, mlflowRunId, mlflowExperimentId: '0' },
      ...{ championVersion: null, evaluated },
    };
    return askSteward({ client: this.client, taskQueue, model, update: UPDATE.decide, args });
  }

  /** What the run's own worker reads in evaluation.json. */
  private evaluation(candidate: TestCandidate, champion: string | null): Evaluation {
    const { candidateMetrics, championMetrics, championError, rows } = this.evaluated(candidate, champion);
    const scores = (metrics: Metrics): Evaluation['candidate'] => ({ metrics, perClass: [], confusion: [] });
    return {
      candidate: scores(candidateMetrics),
      champion: championMetrics === null ? null : scores(championMetrics),
      championError,
      rows,
    };
  }

  private evaluated({ quality }: TestCandidate, champion: string | null): EvaluateOutput {
    const its = champion === null ? null : this.quality.get(champion);
    return {
      artifacts: {},
      metrics: {},
      reused: false,
      candidateMetrics: { accuracy: quality },
      championMetrics: its == null ? null : { accuracy: its },
      championError: its === undefined ? 'not known' : null,
      rows: 30,
    };
  }

  private spec(change: Partial<RunSpec>): RunSpec {
    const written = Params.parse(parse(readFileSync(this.project.path('params.yaml'), 'utf8')));
    const params = { ...written, model: this.project.model };
    return {
      params,
      paramsPath: 'params.yaml',
      data: { path: 'data/iris.csv', sha256: hash(), md5: hash().slice(0, 32), sizeBytes: 1 },
      ...{ paramsHash: hash(), codeHash: hash(), pipelineKey: hash() },
      git: { commit: '', branch: '', dirty: false, remoteUrl: '' },
      ...change,
    };
  }
}
