import { connect } from '../../temporal/connect';
import { devServerEnvironment } from './dev-server';
import type { ServerCommand } from './server-process';
import { type TemporalMainOptions } from './temporal-main';
import { type Environment } from '../../integrations/files/dot-env';

export interface TemporalServerOptions extends TemporalMainOptions {
  /** Compiled temporal-main.js, absolute. */
  main: string;
  cwd: string;
  logFile: string;
  env: Environment;
}

/** How to start the Temporal dev server with its Web UI. */
export function temporalServer({ main, cwd, logFile, env, ...told }: TemporalServerOptions): ServerCommand {
  return {
    title: 'Temporal',
    command: process.execPath,
    args: [main, JSON.stringify(told)],
    cwd,
    env: devServerEnvironment(env),
    logFile,
    umask: 0o077,
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
