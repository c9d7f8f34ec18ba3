import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuthConfigObject } from 'dockerode';
import { RetrainError } from '../../contracts/errors';

/** Docker Hub's key in config.json, for which its images name no host. */
const DOCKER_HUB = 'https://index.docker.io/v1/';

/** config.json of the docker command, the part that we read: https://docs.docker.com/reference/cli/docker/login/ */
interface DockerConfig {
  auths?: Record<string, { auth?: string; username?: string; password?: string; identitytoken?: string }>;
}

/**
 * What `docker login` has left for the registry of an image. Logins that a credential helper keeps are not in the file; such images
 * have to be pulled by hand.
 *
 * @param configDir folder of config.json
 * @returns undefined for a registry without a login
 * @throws RetrainError CONFIG_INVALID for a file that is no JSON
 */
export async function registryLogin(image: string, configDir: string): Promise<AuthConfigObject | undefined> {
  const file = join(configDir, 'config.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
  const registry = registryOf(image);
  const login = Object.entries(parsed(text, file).auths ?? {}).find(
    ([key]) => hostOf(key) === hostOf(registry),
  );
  if (login === undefined) return undefined;
  const { auth, username, password, identitytoken } = login[1];
  if (identitytoken) return { identitytoken, serveraddress: registry };
  const [user = '', ...rest] = auth ? Buffer.from(auth, 'base64').toString('utf8').split(':') : [username];
  const secret = auth ? rest.join(':') : password;
  return user && secret ? { username: user, password: secret, serveraddress: registry } : undefined;
}

/** The registry that an image's name begins with: its first part, if that looks like a host. */
function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  return rest.length > 0 && /[.:]|^localhost$/.test(first) ? first : DOCKER_HUB;
}

/** Keys are written with and without a scheme and a path. */
function hostOf(registry: string): string {
  return registry.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

function parsed(text: string, file: string): DockerConfig {
  try {
    return JSON.parse(text) as DockerConfig;
  } catch (cause) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `${file} is no JSON; mend it, or log in again with \`docker login\``,
      {
        cause,
      },
    );
  }
}
