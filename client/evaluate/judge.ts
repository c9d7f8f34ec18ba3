import { containerOptions } from '../../contracts/container';
import { RetrainError } from '../../contracts/errors';
import { ARTIFACT, type Artifact } from '../../contracts/stage';
import { type ContentStore } from '../../integrations/dvc/content-store';
import { type Mlflow } from '../../integrations/mlflow/client';
import { type ModelVersion } from '../../integrations/mlflow/registry-record';
import { type ComputeStage } from '../../pipeline/compute-stage';
import { StageResults } from '../../pipeline/results/stage-results';
import { runStage, type StageOutcome } from '../../pipeline/run-stage';
import { type ComputeStageName } from '../../pipeline/stage';
import { readStageCode, type StageCode } from '../../pipeline/stage-code';
import { type ClientConfig } from '../config';
import { type Recorded } from '../reproduce/record';
import { type Placement, stageExecution } from '../stage/execution';
import { type ProgressLine } from '../terminal/progress-line';

/** What a judgement works with. */
export interface Judge {
  config: ClientConfig;
  mlflow: Mlflow;
  store: ContentStore;
  code: StageCode;
  version: ModelVersion;
  recorded: Recorded;
  /** What the version was trained on, whether the store has it or not. */
  data: Artifact;
  signal: AbortSignal;
  /** Runs a stage as `retrain stage` does, where the version's params say; `unseen` always in a process. */
  runStage(
    name: ComputeStageName | 'unseen',
    work: ComputeStage,
    inputs: Readonly<Record<string, Artifact>>,
    bring?: (signal: AbortSignal) => Promise<void>,
  ): Promise<StageOutcome>;
}

/** @param progress null: nobody watches */
export async function makeJudge(
  known: Pick<Judge, 'config' | 'mlflow' | 'store' | 'version' | 'recorded' | 'signal'>,
  progress: ProgressLine | null,
): Promise<Judge> {
  const { config, store, recorded, signal } = known;
  const { sha256, md5, sizeBytes } = recorded.data;
  const size = sizeBytes ?? (await store.objects.stat(md5))?.size ?? 0;
  const results = new StageResults(store, { project: config.project });
  return {
    ...known,
    code: await readStageCode(config.stageCodeFile),
    data: { name: ARTIFACT.data, sha256, md5, sizeBytes: size },
    async runStage(name, work, inputs, bring) {
      const execution = await stageExecution(config, name, placementOf(name, recorded));
      const job = { work, inputs, afresh: false, ...(bring === undefined ? {} : { bring }) };
      const watch = {
        signal,
        onProgress: (seen: Parameters<ProgressLine['show']>[0]) => progress?.show(seen),
      };
      return runStage({ store, results }, job, execution, watch);
    },
  };
}

function placementOf(name: ComputeStageName | 'unseen', { params, images, ...rest }: Recorded): Placement {
  if (name === 'unseen') return {};
  const options = containerOptions(params[name]);
  if (options === undefined) return {};
  const digest = images[name];
  if (digest !== undefined) return { container: { options, digest } };
  throw new RetrainError(
    'NOT_FOUND',
    `the run of ${rest.model} v${rest.version} did not record the image of ${name}; it cannot be judged by the same code`,
  );
}
