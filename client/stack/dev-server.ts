import { randomBytes } from 'node:crypto';
import { type Environment } from '../../integrations/files/dot-env';
import { SEARCH_ATTRIBUTE_TYPES } from '../../temporal/search-attributes';

/**
 * The dev server has one history shard, and its transfer queue polls 20 times a second: 50 ms before each
 * task. With this, five activities in a row take 54 ms instead of 550.
 */
const TRANSFER_POLLS_PER_SECOND = 5000;

export interface DevServerOptions {
  port: number;
  /** Where its Web UI listens, which people reach by way of our proxy. */
  ui: { host: string; port: number };
  namespace: string;
  /** SQLite file that outlives the server; without it everything is in memory. */
  dbFile?: string;
}

/**
 * Arguments of `temporal` that start the dev server on the loopback interface. It calls nobody outside, and no web page can call
 * it: its HTTP API, on a port of its own choice, has no switch, so it is given a Host to answer to that nobody knows.
 */
export function devServerArguments({ port, ui, namespace, dbFile }: DevServerOptions): string[] {
  const settings = {
    'frontend.httpAllowedHosts': JSON.stringify([`${randomBytes(16).toString('hex')}.invalid`]),
    'history.transferProcessorMaxPollRPS': TRANSFER_POLLS_PER_SECOND,
    'frontend.enableServerVersionCheck': false,
  };
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--ui-ip', ui.host],
    ...['--port', String(port), '--ui-port', String(ui.port), '--namespace', namespace],
    ...['--log-level', 'warn', '--log-format', 'json', '--color', 'never'],
    ...(dbFile === undefined ? [] : ['--db-filename', dbFile]),
    ...Object.entries(settings).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
    ...Object.entries(SEARCH_ATTRIBUTE_TYPES).flatMap(([name, type]) => [
      '--search-attribute',
      `${name}=${type}`,
    ]),
  ];
}

/** The environment for the dev server: ours without TEMPORAL_*, which the program would take for its options. */
export function devServerEnvironment(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_')));
}
