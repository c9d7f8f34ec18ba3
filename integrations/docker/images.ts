import type Docker from 'dockerode';
import { type AuthConfigObject } from 'dockerode';
import { RetrainError } from '../../contracts/errors';
import { engineError, statusOf } from './engine-error';
import { isPinned, requireImage } from './policy';
import { registryLogin } from './registry-login';
import { type DockerSettings } from './settings';

/** What looking for an image takes. */
type Where = Pick<DockerSettings, 'shown' | 'configDir' | 'images' | 'requireDigest'>;

/** Images that `make docker-build` makes. They are in no registry: whoever has this name in a public one is somebody else. */
const OURS = /^retrain\//;

/**
 * What an image name means now: the digest it is pinned by, or the engine's content id of it. Pulls an image that the
 * engine does not have, unless it is one of ours. For one that is not allowed, neither engine nor registry is asked.
 *
 * @returns `sha256:<64 hex>`
 * @throws RetrainError CONTAINER_REFUSED, IMAGE_NOT_FOUND, DOCKER_UNREACHABLE
 */
export async function imageDigest(engine: Docker, image: string, where: Where): Promise<string> {
  if (isPinned(image)) return image.slice(image.indexOf('@') + 1);
  requireImage('the run', image, where);
  return (await inspectOrPull(engine, image, where)).Id;
}

/**
 * Makes sure that the engine has the very image that a run was started for, and returns the name to start it by: of a tag
 * that has moved since, the old one.
 *
 * @throws RetrainError CONTAINER_REFUSED, IMAGE_NOT_FOUND, CODE_MISMATCH when the name means another image by now and the old one is gone
 */
export async function exactImage(
  engine: Docker,
  image: string,
  digest: string,
  where: Where,
): Promise<string> {
  requireImage('the run', image, where);
  if (isPinned(image)) {
    await inspectOrPull(engine, image, where);
    return image;
  }
  const known = await inspect(engine, digest, where.shown);
  if (known !== undefined) return digest;
  const { Id } = await inspectOrPull(engine, image, where);
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

async function inspectOrPull(engine: Docker, image: string, where: Where): Promise<Docker.ImageInspectInfo> {
  const { shown, configDir } = where;
  const there = await inspect(engine, image, shown);
  if (there !== undefined) return there;
  if (OURS.test(image)) {
    throw new RetrainError(
      'IMAGE_NOT_FOUND',
      `image ${image} is not on the Docker engine at ${shown}; build it with \`make docker-build\`, or correct the name (retrain/… is never pulled)`,
    );
  }
  const login = await registryLogin(image, configDir);
  try {
    await pull(engine, image, login);
    return await engine.getImage(image).inspect();
  } catch (error) {
    const away = engineError(error, `pull ${image}`, shown);
    if (away.code === 'DOCKER_UNREACHABLE' && !(error instanceof Error && 'json' in error)) {
      await requireEngine(engine, shown);
    }
    const who =
      login === undefined ? 'without a login' : `as ${login.username ?? 'the login of config.json'}`;
    throw new RetrainError(
      'IMAGE_NOT_FOUND',
      `image ${image} is not on the Docker engine and cannot be pulled ${who} (${away.message.split(': ').slice(1).join(': ')}); pull it by hand, log in with \`docker login\`, or correct the name`,
      { cause: error },
    );
  }
}

/** @throws what the engine reports, which may come in the midst of its progress */
async function pull(engine: Docker, image: string, login: AuthConfigObject | undefined): Promise<void> {
  const progress = await engine.pull(image, login === undefined ? {} : { authconfig: login });
  let reported: string | undefined;
  await new Promise<void>((resolve, reject) => {
    engine.modem.followProgress(
      progress,
      (error: Error | null) => (error === null ? resolve() : reject(error)),
      ({ error }: { error?: string }) => (reported ??= error),
    );
  });
  if (reported !== undefined) throw Object.assign(new Error(reported), { json: { message: reported } });
}

/** @throws RetrainError DOCKER_UNREACHABLE */
export async function requireEngine(engine: Docker, shown: string): Promise<void> {
  try {
    await engine.ping();
  } catch (error) {
    throw engineError(error, 'run a container', shown);
  }
}
