import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { type Environment } from '../files/dot-env';
import { bytes } from './size';
import { type SshAddress } from './ssh-agent';

/** How the engine is reached. */
export type EngineAddress =
  | { kind: 'unix'; socketPath: string }
  | { kind: 'tcp'; host: string; port: number; tls?: { ca: Buffer; cert: Buffer; key: Buffer } }
  | ({ kind: 'ssh' } & SshAddress);

/** What a worker knows about containers. The lists are of patterns with `*`. */
export interface DockerSettings {
  engine: EngineAddress;
  /** The engine's address for messages. */
  shown: string;
  /** Folder of the docker command's config.json, where `docker login` leaves what registries ask for. */
  configDir: string;
  /** Images that stages may use. */
  images: readonly string[];
  /** Refuse images that are not pinned by digest. */
  requireDigest: boolean;
  /** Variables that stages may ask for, with their values. */
  env: readonly string[];
  /** Folders of the host and volumes that stages may mount. */
  volumes: readonly string[];
  /** Docker networks that stages may join; `none` needs no leave. */
  networks: readonly string[];
  /** Most that one stage may ask for. */
  most: { cpus: number; memoryBytes: number; diskBytes: number };
  /** Containers that run at the same time; further stages wait. */
  concurrency: number;
  /** Memory of a stage that does not say, in bytes. */
  memoryBytes: number;
  /** `uid:gid` of stages that do not say; absent: decided by who the worker is. */
  user?: string;
  /** Where the engine sees the worker's scratch folder, if that is neither the same path nor found by asking the engine. */
  hostScratch?: string;
}

/**
 * Reads DOCKER_HOST and its kin as the docker command does, and the worker's RETRAIN_DOCKER_*.
 *
 * @throws RetrainError CONFIG_INVALID with the variable, its value and what is expected
 */
export function dockerSettings(env: Environment): DockerSettings {
  const shown = env['DOCKER_HOST'] || 'unix:///var/run/docker.sock';
  const engine = engineAddress(shown, env);
  const most = mostOf(env, engine);
  return {
    engine,
    shown,
    configDir: dockerFolder(env),
    images: list(env['RETRAIN_DOCKER_IMAGES'], ['retrain/*']),
    requireDigest: env['RETRAIN_DOCKER_REQUIRE_DIGEST'] === '1',
    env: list(env['RETRAIN_DOCKER_ENV'], ['STAGE_*']),
    volumes: list(env['RETRAIN_DOCKER_VOLUMES'], []),
    networks: list(env['RETRAIN_DOCKER_NETWORKS'], []),
    most,
    concurrency: count(env['RETRAIN_DOCKER_CONCURRENCY'], 'RETRAIN_DOCKER_CONCURRENCY', 4),
    memoryBytes: Math.min(
      bytes(env['RETRAIN_DOCKER_MEMORY'] || '2g', 'RETRAIN_DOCKER_MEMORY'),
      most.memoryBytes,
    ),
    ...(env['RETRAIN_DOCKER_USER'] ? { user: env['RETRAIN_DOCKER_USER'] } : {}),
    ...(env['RETRAIN_DOCKER_HOST_SCRATCH'] ? { hostScratch: env['RETRAIN_DOCKER_HOST_SCRATCH'] } : {}),
  };
}

/** Of an engine on this machine: its CPUs, and three quarters of its memory. Of another one, whose size is not known: plenty. */
function mostOf(env: Environment, { kind }: EngineAddress): DockerSettings['most'] {
  const local = kind === 'unix';
  const memory = env['RETRAIN_DOCKER_MAX_MEMORY'];
  return {
    cpus: amount(
      env['RETRAIN_DOCKER_MAX_CPUS'],
      'RETRAIN_DOCKER_MAX_CPUS',
      local ? Math.max(2, availableParallelism()) : 64,
    ),
    memoryBytes: memory
      ? bytes(memory, 'RETRAIN_DOCKER_MAX_MEMORY')
      : local
        ? Math.floor(totalmem() * 0.75)
        : 64 * 1024 ** 3,
    diskBytes: bytes(env['RETRAIN_DOCKER_MAX_DISK'] || '100g', 'RETRAIN_DOCKER_MAX_DISK'),
  };
}

function engineAddress(text: string, env: Environment): EngineAddress {
  if (text.startsWith('unix://')) return { kind: 'unix', socketPath: text.slice('unix://'.length) };
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalidHost(text);
  }
  switch (url.protocol) {
    case 'tcp:':
    case 'http:':
    case 'https:':
      return {
        kind: 'tcp',
        host: url.hostname,
        port: Number(url.port || (url.protocol === 'https:' ? 2376 : 2375)),
        ...(env['DOCKER_TLS_VERIFY'] || url.protocol === 'https:' ? { tls: certificates(env) } : {}),
      };
    case 'ssh:':
      return {
        kind: 'ssh',
        host: url.hostname,
        ...(url.port === '' ? {} : { port: Number(url.port) }),
        ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
      };
    default:
      throw invalidHost(text);
  }
}

function invalidHost(text: string): RetrainError {
  return new RetrainError(
    'CONFIG_INVALID',
    `DOCKER_HOST must be unix:///path, tcp://host:port or ssh://user@host, got ${text}`,
  );
}

function dockerFolder(env: Environment): string {
  return env['DOCKER_CONFIG'] || join(env['HOME'] || '', '.docker');
}

function certificates(env: Environment): { ca: Buffer; cert: Buffer; key: Buffer } {
  const folder = env['DOCKER_CERT_PATH'] || dockerFolder(env);
  try {
    const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFileSync(join(folder, name)));
    return { ca: ca!, cert: cert!, key: key! };
  } catch (cause) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `DOCKER_TLS_VERIFY is set, but ${folder} has not all of ca.pem, cert.pem and key.pem; correct DOCKER_CERT_PATH`,
      { cause },
    );
  }
}

function list(text: string | undefined, otherwise: readonly string[]): readonly string[] {
  if (text === undefined) return otherwise;
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function count(text: string | undefined, name: string, otherwise: number): number {
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 256) return value;
  throw new RetrainError('CONFIG_INVALID', `${name} must be an integer from 1 to 256, got ${text}`);
}

function amount(text: string | undefined, name: string, otherwise: number): number {
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (value > 0 && value <= 1024) return value;
  throw new RetrainError('CONFIG_INVALID', `${name} must be a number above 0, at most 1024, got ${text}`);
}
