import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dockerHost } from './engine';

const ROOT = path.resolve(__dirname, '..', '..', '..');

export const STAGE_IMAGE = 'retrain/stage:test';
export const WORKER_IMAGE = 'retrain/worker:test';
export const SKLEARN_IMAGE = 'retrain/train-sklearn:test';
export const MLFLOW_IMAGE = 'retrain/mlflow:test';

/** The stage image, but each stage takes this long before it begins. */
export const SLOW_STAGE_IMAGE = 'retrain/slow-stage:test';
export const SLOW_SECONDS = 15;

const FOLDER: Readonly<Record<string, string>> = {
  [STAGE_IMAGE]: 'stage',
  [WORKER_IMAGE]: 'worker',
  [SKLEARN_IMAGE]: 'train-sklearn',
  [MLFLOW_IMAGE]: 'mlflow',
};

/** Builds images of this tree; what has not changed since comes from the engine's cache. */
export function buildImage(image: string): void {
  if (image !== SLOW_STAGE_IMAGE) {
    docker(['build', '--quiet', '--file', `images/${FOLDER[image]}/Dockerfile`, '--tag', image, '.']);
    return;
  }
  const entry = `sleep ${SLOW_SECONDS} && exec node /app/dist/stages/main.js "$0"`;
  docker(
    ['build', '--quiet', '--tag', image, '-'],
    `FROM ${STAGE_IMAGE}\nENTRYPOINT ${JSON.stringify(['sh', '-c', entry])}\n`,
  );
}

/** Two suites that build at the same time would both do what they have in common; so one waits, and finds it done. */
const ONE_BUILD_AT_A_TIME = ['flock', path.join(tmpdir(), 'retrain-image-build.lock')];

/** Runs the docker command in the repository's folder; throws its stderr. */
export function docker(args: readonly string[], input = ''): string {
  const inLine = args[0] === 'build' && process.platform === 'linux' ? ONE_BUILD_AT_A_TIME : [];
  const [program = '', ...rest] = [...inLine, 'docker', ...args];
  const { status, stdout, stderr } = spawnSync(program, rest, {
    cwd: ROOT,
    input,
    encoding: 'utf8',
    // Without BuildKit: Debian's docker.io has no buildx.
    env: { ...process.env, DOCKER_HOST: dockerHost, DOCKER_BUILDKIT: process.env['DOCKER_BUILDKIT'] ?? '0' },
  });
  if (status !== 0) throw new Error(`docker ${args.slice(0, 2).join(' ')}: ${stderr}`);
  return stdout.trim();
}
