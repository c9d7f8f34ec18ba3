import type Docker from 'dockerode';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { statusOf } from './engine-error';

/** Where the engine sees the worker's files. */
export interface PathMap {
  /** @param file absolute, below the worker's scratch folder */
  toEngine(file: string): string;
}

interface Surroundings {
  /** The worker's scratch folder, absolute. */
  scratchDir: string;
  /** Set by the operator: the engine's path of it. */
  hostScratch?: string | undefined;
  /** Id of the container that the worker runs in, where it can be told. */
  containerId?: string | undefined;
  /** The worker's host name: in a container, the id of that container, unless it was given another. */
  hostname: string;
  /** Default: whether the marker is there that the engine puts into every container. */
  inContainer?: boolean;
}

/**
 * Finds out where the engine sees the scratch folder. For a worker on the engine's host it is the same path. A worker that is a
 * container itself asks the engine for its own mounts: the folder must be on one of them, a host folder or a named volume.
 *
 * @throws RetrainError CONFIG_INVALID when the folder is on none, so that no stage could see it
 */
export async function findPathMap(engine: Docker, surroundings: Surroundings): Promise<PathMap> {
  const { scratchDir, hostScratch, containerId, hostname } = surroundings;
  if (hostScratch !== undefined) return mapped(scratchDir, hostScratch);
  const inContainer = surroundings.inContainer ?? (containerId !== undefined || existsSync('/.dockerenv'));
  if (!inContainer) return mapped(scratchDir, scratchDir);
  let mounts: Docker.ContainerInspectInfo['Mounts'];
  try {
    mounts = (await engine.getContainer(containerId ?? hostname).inspect()).Mounts;
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    // Virtual machines are made from images, too, and engines run in containers, beside us: that is known by the host's name.
    const { Name } = (await engine.info()) as { Name: string };
    if (Name === hostname) return mapped(scratchDir, scratchDir);
    throw new RetrainError(
      'CONFIG_INVALID',
      `this worker runs in a container that its Docker engine does not know (${containerId ?? hostname}), so it cannot tell where stages find ${scratchDir}; set RETRAIN_DOCKER_HOST_SCRATCH to that folder's path on the engine's host`,
    );
  }
  const [mount] = mounts
    .filter(({ Destination }) => isWithin(scratchDir, Destination))
    .sort((a, b) => b.Destination.length - a.Destination.length);
  if (mount === undefined) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `this worker runs in a container, and its scratch folder ${scratchDir} is on no volume, so stages would not find their inputs; mount a volume or a host folder at or above it (RETRAIN_STATE_DIR)`,
    );
  }
  return mapped(mount.Destination, mount.Source);
}

function mapped(from: string, to: string): PathMap {
  return { toEngine: (file) => path.posix.join(to, path.relative(from, file)) };
}

function isWithin(file: string, folder: string): boolean {
  const relative = path.relative(folder, file);
  return !relative.startsWith('..') && !path.isAbsolute(relative);
}
