import { randomUUID } from 'node:crypto';
import { type ContainerOptions } from '../../contracts/container';
import { type StageProgress } from '../../contracts/stage';
import { connectExecutor } from '../../integrations/docker/connect-executor';
import { createEngine } from '../../integrations/docker/engine';
import { dockerSettings } from '../../integrations/docker/settings';
import { type Environment } from '../../integrations/files/dot-env';

/** Containers of the command line: no worker takes them for its own. */
const SCOPE = 'retrain-stage';

export interface StageContainerRun {
  stage: string;
  dir: string;
  options: ContainerOptions;
  /** `sha256:…` */
  digest: string;
  scratchDir: string;
  env: Environment;
  prepare(): Promise<void>;
  signal: AbortSignal;
  onProgress(progress: StageProgress): void;
  onLog(line: string): void;
}

/**
 * Runs a stage in a container, under the same rules as a worker: RETRAIN_DOCKER_* says what it may ask for. Gone when
 * this returns; a killed command leaves its container running, `make docker-clean` removes it.
 *
 * @returns ms that it took
 * @throws RetrainError as `ContainerExecutor.run`
 */
export async function runStageContainer(run: StageContainerRun): Promise<number> {
  const settings = dockerSettings(run.env);
  const { scratchDir, env } = run;
  const executor = await connectExecutor(createEngine(settings), { settings, scratchDir, scope: SCOPE, env });
  const id = randomUUID();
  const { durationMs } = await executor.run({
    ...run,
    owner: { workflowId: SCOPE, workflowRunId: id, activityId: run.stage, attempt: 1 },
    isCancelled: () => true,
  });
  return durationMs;
}
