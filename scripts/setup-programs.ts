import { RetrainError } from '../contracts/errors';
import { ensureMlflowPython } from '../client/stack/mlflow-python';
import { createProgress } from '../client/stack/progress';
import { ensureTemporal } from '../client/stack/temporal-program';
import { withDotEnv } from '../integrations/files/dot-env';
import { namesServer } from '../temporal/settings';

/**
 * Installs the programs of the embedded stack side by side, those that are missing: Temporal, unless the
 * environment names a server, and MLflow likewise.
 */
async function setUpPrograms(): Promise<void> {
  const env = withDotEnv(process.cwd(), process.env);
  const progress = createProgress(process.stderr);
  const installs: Promise<unknown>[] = [];
  if (!namesServer(env)) installs.push(ensureTemporal(env, progress));
  if (!env['MLFLOW_TRACKING_URI']) installs.push(ensureMlflowPython(env, progress));
  const results = await Promise.allSettled(installs);
  progress.close();
  for (const result of results) {
    if (result.status === 'fulfilled') continue;
    process.exitCode = result.reason instanceof RetrainError ? result.reason.exitCode : 1;
    process.stderr.write(`error: ${messageOf(result.reason)}\n`);
  }
}

function messageOf(error: unknown): string {
  if (error instanceof RetrainError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

void setUpPrograms();
