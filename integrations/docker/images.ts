import type Docker from 'dockerode';
import { RetrainError } from '../../contracts/errors';
import { engineError, statusOf } from './engine';
import { isPinned } from './policy';

/**
 * What an image name means now: the digest it is pinned by, or the engine's content id of it. Pulls an image that the
 * engine does not have.
 *
 * @returns `sha256:<64 hex>`
 * @throws RetrainError IMAGE_NOT_FOUND, DOCKER_UNREACHABLE
 */
export async function imageDigest(engine: Docker, image: string, shown: string): Promise<string> {
  if (isPinned(image)) return image.slice(image.indexOf('@') + 1);
  return (await inspectOrPull(engine, image, shown)).Id;
}

/**
 * Makes sure that the engine has the very image that a run was started for, and returns the name to start it by: of a tag
 * that has moved since, the old one.
 *
 * @throws RetrainError IMAGE_NOT_FOUND, CODE_MISMATCH when the name means another image by now and the old one is gone
 */
export async function exactImage(
  engine: Docker,
  image: string,
  digest: string,
  shown: string,
): Promise<string> {
  if (isPinned(image)) {
    await inspectOrPull(engine, image, shown);
    return image;
  }
  const known = await inspect(engine, digest, shown);
  if (known !== undefined) return digest;
  const { Id } = await inspectOrPull(engine, image, shown);
  if (Id === digest) return digest;
  throw new RetrainError(
    'CODE_MISMATCH',
    `the run was started for ${image} ${short(digest)}, but this worker's engine has ${short(Id)}; give both the same image, or start again`,
  );
}

const short = (digest: string): string => digest.replace('sha256:', '').slice(0, 12);

async function inspect(
  engine: Docker,
  image: string,
  shown: string,
): Promise<Docker.ImageInspectInfo | undefined> {
  try {
    return await engine.getImage(image).inspect();
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw engineError(error, `look up image ${image}`, shown);
  }
}

async function inspectOrPull(engine: Docker, image: string, shown: string): Promise<Docker.ImageInspectInfo> {
  const there = await inspect(engine, image, shown);
  if (there !== undefined) return there;
  try {
    const progress = await engine.pull(image);
    await new Promise<void>((resolve, reject) => {
      engine.modem.followProgress(progress, (error: Error | null) =>
        error === null ? resolve() : reject(error),
      );
    });
    return await engine.getImage(image).inspect();
  } catch (error) {
    const away = engineError(error, `pull ${image}`, shown);
    if (away.code === 'DOCKER_UNREACHABLE' && !(error instanceof Error && 'json' in error)) {
      await requireEngine(engine, shown);
    }
    throw new RetrainError(
      'IMAGE_NOT_FOUND',
      `image ${image} is not on the Docker engine and cannot be pulled (${away.message.split(': ').slice(1).join(': ')}); build it with \`make docker-build\`, or correct the name`,
      { cause: error },
    );
  }
}

/** @throws RetrainError DOCKER_UNREACHABLE */
export async function requireEngine(engine: Docker, shown: string): Promise<void> {
  try {
    await engine.ping();
  } catch (error) {
    throw engineError(error, 'run a container', shown);
  }
}
