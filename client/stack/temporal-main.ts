import { spawn } from 'node:child_process';
import { devServerArguments, type DevServerOptions } from './dev-server';
import { hiddenAddress } from './hidden-address';
import { createWebUiProxy, listenLocally } from './web-ui-proxy';

/** What this process is told, as JSON in its one argument. */
export interface TemporalMainOptions extends Omit<DevServerOptions, 'ui'> {
  /** The `temporal` program. */
  program: string;
  /** Port that people open. */
  uiPort: number;
}

/**
 * The Temporal dev server, and before its Web UI our proxy: the two live and end together. The server is in this process's
 * group, so what ends the group ends both.
 */
async function main(): Promise<void> {
  const { program, uiPort, ...options } = JSON.parse(process.argv[2] ?? '{}') as TemporalMainOptions;
  const ui = await hiddenAddress();
  const server = spawn(program, devServerArguments({ ...options, ui }), {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const end = (code: number): never => {
    server.kill('SIGTERM');
    process.exit(code);
  };
  server.once('error', (error) => {
    console.error(`${program} cannot be started: ${error.message}`);
    end(1);
  });
  server.once('exit', (code) => process.exit(code ?? 1));
  // The server gets the signal of its group as well; we go when it has gone.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => server.kill(signal));
  try {
    await listenLocally(createWebUiProxy(ui), uiPort);
  } catch (error) {
    console.error(`port ${uiPort} cannot be listened on: ${String(error)}`);
    end(1);
  }
}

void main();
