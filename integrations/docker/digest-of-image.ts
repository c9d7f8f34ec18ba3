import { type Environment } from '../files/dot-env';
import { createEngine } from './engine';
import { imageDigest } from './images';
import { isPinned } from './policy';
import { dockerSettings } from './settings';

/**
 * What an image name means: by itself when it is pinned, else to the engine that DOCKER_HOST names.
 *
 * @returns `sha256:<64 hex>`
 * @throws RetrainError IMAGE_NOT_FOUND, DOCKER_UNREACHABLE
 */
export async function digestOfImage(image: string, env: Environment): Promise<string> {
  if (isPinned(image)) return image.slice(image.indexOf('@') + 1);
  const settings = dockerSettings(env);
  return imageDigest(createEngine(settings), image, settings);
}
