import { type ContainerOptions } from '../../contracts/container';
import { RetrainError, listed } from '../../contracts/errors';
import { type DockerSettings } from './settings';

/**
 * What the operator of a worker allows is not the params file's to decide: whoever can change that file could otherwise
 * run any image, read any of the worker's secrets, or mount any folder.
 *
 * @throws RetrainError CONTAINER_REFUSED, naming the value and the setting that would allow it
 */
export function requireAllowed(stage: string, options: ContainerOptions, settings: DockerSettings): void {
  const { image, env = [], volumes = [], network } = options;
  if (!settings.images.some((pattern) => matches(pattern, image))) {
    throw refused(stage, `image ${image}`, settings.images, 'RETRAIN_DOCKER_IMAGES');
  }
  if (settings.requireDigest && !isPinned(image)) {
    throw new RetrainError(
      'CONTAINER_REFUSED',
      `${stage}.image: this worker runs pinned images only, got ${image}; write it as name@sha256:…`,
    );
  }
  for (const name of env) {
    if (settings.env.some((pattern) => matches(pattern, name))) continue;
    throw refused(stage, `variable ${name}`, settings.env, 'RETRAIN_DOCKER_ENV');
  }
  for (const volume of volumes) {
    const [source = ''] = volume.split(':');
    if (settings.volumes.some((pattern) => matches(pattern, source))) continue;
    throw refused(stage, `volume ${source}`, settings.volumes, 'RETRAIN_DOCKER_VOLUMES');
  }
  if (network === 'host' || network?.startsWith('container:') === true) {
    throw new RetrainError('CONTAINER_REFUSED', `${stage}.network: a stage gets no namespace of its host`);
  }
}

/** Whether the name says which bytes it means. */
export function isPinned(image: string): boolean {
  return image.includes('@sha256:');
}

/** `*` stands for any characters; everything else for itself. */
function matches(pattern: string, text: string): boolean {
  const source = pattern
    .split('*')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}$`).test(text);
}

function refused(stage: string, what: string, allowed: readonly string[], setting: string): RetrainError {
  const seen = allowed.length === 0 ? 'none' : listed(allowed);
  return new RetrainError(
    'CONTAINER_REFUSED',
    `${stage}: this worker does not allow the ${what} (allowed: ${seen}); its operator can, with ${setting}`,
  );
}
