import { randomUUID } from 'node:crypto';
import { type TrainingResult } from '../../contracts/run';
import { gitState } from '../../integrations/git/git-state';
import { findFinished } from '../../integrations/mlflow/finished-run';
import { identifyRun, type RunIdentity } from '../../pipeline/run/identify-run';
import { projectIdentity } from '../../pipeline/run/project-identity';
import { startSecret, withSeal } from '../../pipeline/run/start-seal';
import { type Overrides } from '../../pipeline/run/load-params';
import { readStageCode } from '../../pipeline/stage-code';
import { type ClientConfig } from '../config';
import { userName } from './user-name';

export interface TrainingRequest {
  /** Relative to the project. */
  paramsPath: string;
  overrides: Overrides;
  force: boolean;
}

/** What a start led to; `identity` says what the run is about in any case, `polled` whether a worker polls the project's task queue. */
export type Started = { identity: RunIdentity } & (
  | { how: 'finished'; result: TrainingResult }
  | { how: 'started' | 'attached'; workflowId: string; workflowRunId: string; polled: boolean }
);

/**
 * Hashes the data, forms the pipeline key, and starts the one training of it, or joins it, or finds its
 * result. When there is a result, nothing is loaded that talks to Temporal.
 *
 * @throws RetrainError for bad config or data, before anything starts, and for servers that do not answer
 */
export async function startTraining(config: ClientConfig, request: TrainingRequest): Promise<Started> {
  const identity = await identify(config, request);
  if (!request.force) {
    const result = await finishedRun(config, identity);
    if (result !== null) return { identity, how: 'finished', result };
  }
  const [git, project] = await Promise.all([
    gitState(config.project),
    projectIdentity(config.project, config.state, config.env),
  ]);
  const spec = withSeal(
    {
      ...identity,
      git,
      project,
      user: userName(config.env),
      ...(request.force ? { forceId: randomUUID() } : {}),
    },
    startSecret(config.state, config.env),
  );
  const [{ withTemporal }, { startOrAttach }, { isPolled }] = await Promise.all([
    import('./temporal-session.js'),
    import('../../temporal/start-run.js'),
    import('../../temporal/project-queue.js'),
  ]);
  return withTemporal(config, async ({ client }) => {
    const started = await startOrAttach(spec, {
      client,
      taskQueue: config.taskQueue,
      starterId: randomUUID(),
      findFinished: () => finishedRun(config, identity),
    });
    if (started.how === 'finished') return { identity, ...started };
    // It has been started: that nobody could say who polls is no reason to fail.
    const polled = await isPolled(client, config.taskQueue).catch(() => true);
    return { identity, ...started, polled };
  });
}

export async function identify(
  config: ClientConfig,
  request: Omit<TrainingRequest, 'force'>,
): Promise<RunIdentity> {
  const { paramsPath, overrides } = request;
  const code = await readStageCode(config.stageCodeFile);
  return identifyRun({
    project: config.project,
    paramsPath,
    overrides,
    code,
    // The engine's client is loaded for container stages only.
    imageDigest: async (image) => {
      const { digestOfImage } = await import('../../integrations/docker/digest-of-image.js');
      return digestOfImage(image, config.env);
    },
  });
}

function finishedRun(
  config: ClientConfig,
  { params, pipelineKey }: RunIdentity,
): Promise<TrainingResult | null> {
  return findFinished(config.mlflow, params.experiment, pipelineKey);
}
