import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describeWith } from '../tools/needs';

/** docker compose 2; the test set-up finds or installs it and names it here. */
const executable = process.env.RETRAIN_TEST_COMPOSE;

/** `describe` where it is at hand. */
export const describeWithCompose = describeWith('compose');

const ROOT = path.resolve(__dirname, '..', '..');

/**
 * Runs docker compose on the repository's docker-compose.yml. The caller's environment reaches it only through `env`, and no `.env` does.
 *
 * @returns its stdout; throws with its stderr when it fails
 */
export function compose(args: readonly string[], env: Readonly<Record<string, string>>): string {
  if (!executable) throw new Error('docker compose is missing: run scripts/setup-test-tools.sh');
  return execFileSync(
    executable,
    [
      '--project-directory',
      ROOT,
      '--env-file',
      '/dev/null',
      '--file',
      path.join(ROOT, 'docker-compose.yml'),
      ...args,
    ],
    { encoding: 'utf8', stdio: 'pipe', env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env } },
  );
}

/** What every use of the file needs. */
export const SECRETS = {
  POSTGRES_PASSWORD: 'test-postgres',
  TEMPORAL_DB_PASSWORD: 'test-temporal',
  MLFLOW_DB_PASSWORD: 'test-mlflow',
  MINIO_ROOT_PASSWORD: 'test-minio-root',
  MLFLOW_S3_SECRET_KEY: 'test-s3-of-mlflow',
  GRAFANA_PASSWORD: 'test-grafana',
};
