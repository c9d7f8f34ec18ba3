import { readFileSync } from 'node:fs';
import path from 'node:path';
import { RetrainError } from '../contracts/errors';
import { TASK_QUEUE } from '../contracts/names';
import { dockerSettings, type DockerSettings } from '../integrations/docker/settings';
import { collectSettings, type CollectSettings } from '../integrations/http-source/settings';
import { mlflowSettings, type MlflowSettings } from '../integrations/mlflow/settings';
import { approvalSettings, type ApprovalSettings } from '../integrations/notify/approval-settings';
import { noticeSettings, type NoticeSettings } from '../integrations/notify/settings';
import { publicKeyOf } from '../integrations/signing/public-key';
import { withDotEnv, type Environment } from '../integrations/files/dot-env';
import { temporalSettings, type TemporalSettings } from '../temporal/settings';
import { stateDir } from '../integrations/files/state-dir';
import { workerFile } from '../integrations/files/worker-file';
import { readStackFile } from '../client/stack/stack-file';

const PUBLIC_KEY = 'RETRAIN_SIGNING_PUBLIC_KEY';
const DEFAULT_MLFLOW_URI = 'http://127.0.0.1:5000';

/** Everything that a worker process knows about its surroundings. */
export interface WorkerConfig {
  /** The project's folder, absolute: what the paths in params.yaml are relative to. */
  project: string;
  temporal: TemporalSettings;
  mlflow: MlflowSettings;
  notices: NoticeSettings;
  /** RETRAIN_APPROVAL_SECRET, RETRAIN_APPROVAL_ADDRESS; null: no signed answers are taken. */
  approvals: ApprovalSettings | null;
  docker: DockerSettings;
  /** RETRAIN_COLLECT_HOSTS, RETRAIN_COLLECT_ENV: which sources may be asked, with which keys. */
  collect: CollectSettings;
  /** Where container stages get the variables that they may ask for. */
  stageEnv: Environment;
  taskQueue: string;
  /** RETRAIN_CACHE: folder of the content store, in DVC's cache layout; null: DVC's own. */
  cache: string | null;
  /** Name of the DVC remote through which machines share results of stages; null: none is asked. */
  sharedCache: string | null;
  /** RETRAIN_SIGNING_KEY: PEM file of the private key that signs models; null: they are not signed. */
  signingKey: { pem: string; passphrase?: string } | null;
  /** RETRAIN_SIGNING_PUBLIC_KEY: in PEM; what the registry hands out is checked with it before it is used; null: it is not. */
  publicKey: string | null;
  /** See `stateDir`. */
  stateDir: string;
  /** Working folders of stages: one per worker, and those of containers; see `takeScratch`. */
  scratchDir: string;
  /** RETRAIN_HEALTH_ADDRESS: where it answers probes; port 0: any that is free. */
  health: { host: string; port: number };
  /** There while the worker polls: see `workerFile`. */
  readyFile: string;
  /** Stages that compute at the same time. */
  threads: number;
  /** RETRAIN_STAGE_MEMORY, RETRAIN_SQL_TIMEOUT: what each of them may take; what is unset, the machine decides. */
  stageLimits: { memoryBytes?: number; sqlTimeMs?: number };
  logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Made by the build. */
  workflowBundle: string;
  stageCodeFile: string;
  threadEntry: string;
}

/** The state folder, whatever is wrong with the other settings: see `stateDir`. */
export function currentState(project = process.cwd()): string {
  return stateDir(project, process.env);
}

/** The one place where a worker reads its environment: variables, then the project's `.env`, then the stack that is up. */
export function loadWorkerConfig(project = process.cwd()): WorkerConfig {
  const env = withDotEnv(project, process.env);
  const state = stateDir(project, env);
  const stack = readStackFile(state);
  const dist = path.resolve(__dirname, '..');
  return {
    project: path.resolve(project),
    temporal: temporalSettings({ ...env }, stack),
    mlflow: mlflowSettings(env, stack?.mlflow.uri ?? DEFAULT_MLFLOW_URI),
    notices: noticeSettings(env),
    approvals: approvalSettings(env),
    docker: dockerSettings(env),
    collect: collectSettings(env),
    stageEnv: env,
    taskQueue: env['RETRAIN_TASK_QUEUE'] || stack?.taskQueue || TASK_QUEUE,
    cache: env['RETRAIN_CACHE'] || null,
    sharedCache: env['RETRAIN_SHARED_CACHE'] || null,
    signingKey: signingKey(project, env),
    publicKey: publicKeyOf(env[PUBLIC_KEY], PUBLIC_KEY, project),
    stateDir: state,
    scratchDir: path.join(state, 'scratch'),
    readyFile: workerFile(state, process.pid),
    health: healthAddress(env['RETRAIN_HEALTH_ADDRESS'] || '127.0.0.1:0'),
    threads: count(env['RETRAIN_THREADS'], 'RETRAIN_THREADS', 2),
    stageLimits: stageLimits(env),
    logLevel: level(env['LOG_LEVEL']),
    workflowBundle: path.join(dist, 'workflow-bundle.js'),
    stageCodeFile: path.join(dist, 'stage-code.json'),
    threadEntry: path.join(dist, 'stages', 'thread-entry.js'),
  };
}

/** `host:port`, of an IPv6 address `[host]:port`. */
function healthAddress(text: string): WorkerConfig['health'] {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-f:]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host !== undefined && Number(digits) <= 65_535) return { host, port: Number(digits) };
  throw new RetrainError(
    'CONFIG_INVALID',
    `RETRAIN_HEALTH_ADDRESS must be an address and a port such as 127.0.0.1:8081 or 0.0.0.0:8081, got ${text.slice(0, 60)}`,
  );
}

function signingKey(project: string, env: Environment): WorkerConfig['signingKey'] {
  const file = env['RETRAIN_SIGNING_KEY'];
  if (file === undefined || file === '') return null;
  const passphrase = env['RETRAIN_SIGNING_KEY_PASSPHRASE'];
  try {
    const pem = readFileSync(path.resolve(project, file), 'utf8');
    return passphrase === undefined || passphrase === '' ? { pem } : { pem, passphrase };
  } catch (cause) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `RETRAIN_SIGNING_KEY names ${file}, which cannot be read; make a key with: openssl ecparam -genkey -name prime256v1 -noout -out ${file}`,
      { cause },
    );
  }
}

function count(text: string | undefined, name: string, otherwise: number): number {
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 256) return value;
  throw new RetrainError('CONFIG_INVALID', `${name} must be an integer from 1 to 256, got ${text}`);
}

const UNIT = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 } as const;
const MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

function stageLimits(env: Environment): WorkerConfig['stageLimits'] {
  const memory = env['RETRAIN_STAGE_MEMORY'] || undefined;
  const time = env['RETRAIN_SQL_TIMEOUT'] || undefined;
  const size = /^(\d+(?:\.\d+)?)([kmgt])$/.exec(memory ?? '');
  const duration = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(time ?? '');
  const memoryBytes = Number(size?.[1]) * UNIT[(size?.[2] ?? 'k') as keyof typeof UNIT];
  if (memory !== undefined && !(memoryBytes >= 256 * UNIT.m)) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `RETRAIN_STAGE_MEMORY must be a size of at least 256m, such as 2g, got ${memory}`,
    );
  }
  const sqlTimeMs = Number(duration?.[1]) * MS[(duration?.[2] ?? 'ms') as keyof typeof MS];
  // What a timer can wait for: 24 days.
  if (time !== undefined && !(sqlTimeMs > 0 && sqlTimeMs < 2 ** 31)) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `RETRAIN_SQL_TIMEOUT must be a duration such as 30m, got ${time}`,
    );
  }
  return {
    ...(memory === undefined ? {} : { memoryBytes: Math.floor(memoryBytes) }),
    ...(time === undefined ? {} : { sqlTimeMs }),
  };
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

function level(text: string | undefined): WorkerConfig['logLevel'] {
  if (text === undefined || text === '') return 'info';
  const found = LEVELS.find((name) => name === text.toLowerCase());
  if (found !== undefined) return found;
  throw new RetrainError('CONFIG_INVALID', `LOG_LEVEL must be one of ${LEVELS.join(', ')}, got ${text}`);
}
