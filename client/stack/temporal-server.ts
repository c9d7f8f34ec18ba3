import { connect } from '../../temporal/connect';
import { devServerArguments, devServerEnvironment } from './dev-server';
import type { ServerCommand } from './server-process';
import { type Environment } from '../../integrations/files/dot-env';

export interface TemporalServerOptions {
  /** The `temporal` program. */
  program: string;
  port: number;
  uiPort: number;
  namespace: string;
  /** Without it, nothing is kept. */
  dbFile?: string;
  cwd: string;
  logFile: string;
  env: Environment;
}

/** How to start the Temporal dev server. */
export function temporalServer(options: TemporalServerOptions): ServerCommand {
  return {
    title: 'Temporal',
    command: options.program,
    args: devServerArguments(options),
    cwd: options.cwd,
    env: devServerEnvironment(options.env),
    logFile: options.logFile,
  };
}

/** Whether the server answers, has the namespace, and serves its Web UI. */
export async function temporalHealthy(
  { address, namespace, uiUrl }: { address: string; namespace: string; uiUrl: string },
  signal: AbortSignal,
): Promise<boolean> {
  const connection = await connect(
    { address, namespace, uiUrl, connection: { address } },
    { timeoutMs: 10_000 },
  );
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } finally {
    await connection.close();
  }
  const page = await fetch(uiUrl, { signal });
  await page.body?.cancel();
  return page.ok;
}
