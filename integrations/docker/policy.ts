import { type ContainerOptions } from '../../contracts/container';
import { RetrainError, listed } from '../../contracts/errors';
import { type DockerSettings } from './settings';
import { bytes, shownSize } from './size';

/** What decides about an image alone. */
export type ImagePolicy = Pick<DockerSettings, 'images' | 'requireDigest'>;

/**
 * Whether an image may be looked for at all. Asked before the engine is: a registry is told who we are by the login that
 * it gets.
 *
 * @param who The stage, or whoever else wants it, for the message.
 * @throws RetrainError CONTAINER_REFUSED, naming the setting that would allow it
 */
export function requireImage(who: string, image: string, settings: ImagePolicy): void {
  if (!settings.images.some((pattern) => matches(pattern, image))) {
    throw refused(who, `image ${image}`, settings.images, 'RETRAIN_DOCKER_IMAGES');
  }
  if (settings.requireDigest && !isPinned(image)) {
    throw new RetrainError(
      'CONTAINER_REFUSED',
      `${who}.image: this worker runs pinned images only, got ${image}; write it as name@sha256:…`,
    );
  }
}

/**
 * What the operator of a worker allows is not the params file's to decide: whoever can change that file could otherwise
 * run any image, read any of the worker's secrets, mount any folder, reach any network, or take the whole machine.
 *
 * @throws RetrainError CONTAINER_REFUSED, naming the value and the setting that would allow it
 */
export function requireAllowed(stage: string, options: ContainerOptions, settings: DockerSettings): void {
  const { image, env = [], volumes = [], network = 'none' } = options;
  requireImage(stage, image, settings);
  for (const name of env) {
    if (settings.env.some((pattern) => matches(pattern, name))) continue;
    throw refused(stage, `variable ${name}`, settings.env, 'RETRAIN_DOCKER_ENV');
  }
  for (const volume of volumes) {
    const [source = ''] = volume.split(':');
    if (settings.volumes.some((pattern) => matches(pattern, source))) continue;
    throw refused(stage, `volume ${source}`, settings.volumes, 'RETRAIN_DOCKER_VOLUMES');
  }
  if (network === 'host' || network.startsWith('container:')) {
    throw new RetrainError('CONTAINER_REFUSED', `${stage}.network: a stage gets no namespace of its host`);
  }
  if (network !== 'none' && !settings.networks.some((pattern) => matches(pattern, network))) {
    throw refused(stage, `network ${network}`, settings.networks, 'RETRAIN_DOCKER_NETWORKS');
  }
  requireWithin(stage, options, settings);
}

/** Every resource has a most. @throws RetrainError CONTAINER_REFUSED */
function requireWithin(stage: string, options: ContainerOptions, { most }: DockerSettings): void {
  const { cpus, memory, disk } = options;
  const tooMuch = (key: string, asked: string | number, limit: string, setting: string): RetrainError =>
    new RetrainError(
      'CONTAINER_REFUSED',
      `${stage}.${key}: this worker gives at most ${limit}, got ${asked}; its operator can raise ${setting}`,
    );
  if (cpus !== undefined && cpus > most.cpus) {
    throw tooMuch('cpus', cpus, String(most.cpus), 'RETRAIN_DOCKER_MAX_CPUS');
  }
  if (memory !== undefined && bytes(memory, `${stage}.memory`) > most.memoryBytes) {
    throw tooMuch('memory', memory, shownSize(most.memoryBytes), 'RETRAIN_DOCKER_MAX_MEMORY');
  }
  if (disk !== undefined && bytes(disk, `${stage}.disk`) > most.diskBytes) {
    throw tooMuch('disk', disk, shownSize(most.diskBytes), 'RETRAIN_DOCKER_MAX_DISK');
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
