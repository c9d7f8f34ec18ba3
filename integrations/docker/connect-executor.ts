import { hostname } from 'node:os';
import type Docker from 'dockerode';
import { ContainerExecutor } from './container-executor';
import { requireEngine } from './images';
import { ownContainerId } from './own-container';
import { findPathMap } from './path-map';
import { type DockerSettings } from './settings';

export interface ConnectOptions {
  settings: DockerSettings;
  /** Where the folders of stages are. */
  scratchDir: string;
  /** See `StageContainer.scope`. */
  scope: string;
  /** Where container stages get the variables that they may ask for. */
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * What runs container stages on an engine: asks it for its version, and where it sees the folders of stages.
 *
 * @throws RetrainError DOCKER_UNREACHABLE, DOCKER_REFUSED; CONFIG_INVALID when this process runs in a container and shares no folder with the engine
 */
export async function connectExecutor(
  engine: Docker,
  { settings, scratchDir, scope, env }: ConnectOptions,
): Promise<ContainerExecutor> {
  await requireEngine(engine, settings.shown);
  const paths = await findPathMap(engine, {
    scratchDir,
    hostScratch: settings.hostScratch,
    containerId: ownContainerId(),
    hostname: hostname(),
  });
  return new ContainerExecutor({ engine, settings, paths, scope, env });
}
