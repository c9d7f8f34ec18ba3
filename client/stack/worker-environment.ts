import { createHash, createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { type Environment } from '../../integrations/files/dot-env';
import { writeOnceSync } from '../../integrations/files/atomic-write';
import { PRIVATE_FILE } from '../../integrations/files/state-folder';

/** Variables that a worker reads, or the libraries in it; all of the project's `.env` counts, too, as stages may ask for any. */
const READ =
  /^(RETRAIN|TEMPORAL|MLFLOW|DOCKER|AWS|S3|STAGE|SMTP|SLACK)_|^(LOG_LEVEL|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSH_AUTH_SOCK|UV_THREADPOOL_SIZE)$|_proxy$/i;

/** Ports of the stack, which are in the addresses that its parts are started with, and what images are built with (`make` sets it). */
const NOT_READ = /^(RETRAIN_(TEMPORAL|TEMPORAL_UI|MLFLOW|API)_PORT|DOCKER_BUILDKIT)$/;

/** Variables that name a file whose content counts. */
const FILES = [
  'RETRAIN_SIGNING_KEY',
  'RETRAIN_SIGNING_PUBLIC_KEY',
  'TEMPORAL_TLS_CLIENT_KEY_PATH',
  'TEMPORAL_TLS_CLIENT_CERT_PATH',
];

/** Digests of a worker's environment. They tell that something differs, and give no value away. */
export interface EnvironmentDigests {
  /** 12 hex digits over everything. */
  whole: string;
  /** 4 hex digits per variable: too few to guess a value by, and enough to name what changed. */
  byName: Readonly<Record<string, string>>;
}

/**
 * Digests of what a worker that is started now would get. Keyed with a random number that stays in the state folder, so that digests
 * of two machines cannot be compared.
 *
 * @param state see `stateDir`
 */
export function environmentDigests(project: string, state: string, env: Environment): EnvironmentDigests {
  const key = keyOf(state);
  const names = [
    ...new Set([
      ...Object.keys(env).filter((name) => READ.test(name) && !NOT_READ.test(name)),
      ...namesInDotEnv(project),
      ...collectedKeys(env),
    ]),
  ];
  const entries = names
    .sort()
    .filter((name) => env[name] !== undefined && env[name] !== '')
    .map((name): [string, string] => [
      name,
      digest(key, `${name}=${env[name]}\0${contentOf(project, name, env)}`),
    ]);
  return {
    whole: digest(key, JSON.stringify(entries)).slice(0, 12),
    byName: Object.fromEntries(entries.map(([name, hash]) => [name, hash.slice(0, 4)])),
  };
}

/** Names that were added, removed, or have another value; at most five are shown. */
export function changedNames(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((name) => before[name] !== now[name])
    .sort();
}

/** What the running worker was started with; nothing of one of an older version. */
export function readDigests(state: string): Readonly<Record<string, string>> {
  try {
    return JSON.parse(readFileSync(fileOf(state), 'utf8')) as Record<string, string>;
  } catch {
    return {};
  }
}

export function writeDigests(state: string, { byName }: EnvironmentDigests): void {
  mkdirSync(path.dirname(fileOf(state)), { recursive: true });
  writeFileSync(fileOf(state), `${JSON.stringify(byName)}\n`, { mode: PRIVATE_FILE });
}

const fileOf = (state: string): string => path.join(state, 'run', 'worker.environment');

const digest = (key: Buffer, text: string): string => createHmac('sha256', key).update(text).digest('hex');

/** Made once. */
function keyOf(state: string): Buffer {
  const file = path.join(state, 'run', 'digest.key');
  try {
    return readFileSync(file);
  } catch {
    mkdirSync(path.dirname(file), { recursive: true });
    writeOnceSync(file, randomBytes(32), PRIVATE_FILE);
    return readFileSync(file);
  }
}

function namesInDotEnv(project: string): string[] {
  try {
    return Object.keys(parseEnv(readFileSync(path.join(project, '.env'), 'utf8')));
  } catch {
    return [];
  }
}

/** Variables that hold keys of sources: `RETRAIN_COLLECT_ENV` names them; and, of containers, `RETRAIN_DOCKER_ENV`, by pattern. */
function collectedKeys(env: Environment): string[] {
  const entries = (env['RETRAIN_COLLECT_ENV'] ?? '').split(/[\s,]+/);
  const keys = entries.flatMap((entry) => /^(\w+)@/.exec(entry)?.[1] ?? []);
  const patterns = (env['RETRAIN_DOCKER_ENV'] ?? '').split(',').map((pattern) => pattern.trim());
  const named = patterns.filter((pattern) => /^\w+$/.test(pattern));
  const begun = patterns.filter((pattern) => /^\w+\*$/.test(pattern)).map((pattern) => pattern.slice(0, -1));
  const met = Object.keys(env).filter((name) => begun.some((start) => name.startsWith(start)));
  return [...keys, ...named, ...met];
}

function contentOf(project: string, name: string, env: Environment): string {
  if (!FILES.includes(name)) return '';
  try {
    return createHash('sha256')
      .update(readFileSync(path.resolve(project, env[name] ?? '')))
      .digest('hex');
  } catch {
    return 'not there';
  }
}
