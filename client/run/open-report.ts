import { spawn } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { REPORT } from '../../contracts/names';
import { makeStateFolder, PRIVATE_FILE } from '../../integrations/files/state-folder';
import { type Mlflow } from '../../integrations/mlflow/client';
import { type MlflowRun } from '../../integrations/mlflow/run-record';
import { type ClientConfig } from '../config';
import { paint, screen } from '../terminal/screen';

/**
 * Fetches the report of a run into `.retrain/reports/`, says where it is, and opens it where there is a browser to
 * open it in: on a terminal, by the desktop's own command.
 *
 * @throws RetrainError NOT_FOUND for a run that has no report
 */
export async function openReport(
  mlflow: Mlflow,
  config: ClientConfig,
  run: MlflowRun,
  quiet: boolean,
): Promise<void> {
  const file = path.join(config.state, 'reports', `${run.runId}.html`);
  makeStateFolder(config.state);
  try {
    await mlflow.artifacts.downloadFile(run.artifactUri, REPORT, file);
  } catch (error) {
    if (!(error instanceof RetrainError) || error.code !== 'NOT_FOUND') throw error;
    throw new RetrainError(
      'NOT_FOUND',
      `${run.name} has no report: it did not finish (${run.status.toLowerCase()})`,
    );
  }
  await chmod(file, PRIVATE_FILE);
  if (quiet) return;
  screen.out(`${paint.dim('  report')}    ${path.relative(config.project, file)}`);
  if (screen.live) openInBrowser(file);
}

const OPENERS: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', win32: 'explorer' };

/** Best effort: the path has been printed. */
function openInBrowser(file: string): void {
  const opener = spawn(OPENERS[process.platform] ?? 'xdg-open', [file], { detached: true, stdio: 'ignore' });
  opener.on('error', () => undefined);
  opener.unref();
}
