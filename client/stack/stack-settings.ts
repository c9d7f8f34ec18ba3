import { join } from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { type Environment } from '../../integrations/files/dot-env';
import { stateDir } from '../../integrations/files/state-dir';
import { type StackFile } from './stack-file';

/** A port of the stack, and how its user can move it. */
export interface StackPort {
  port: number;
  flag: string;
  variable: string;
}

export interface StackSettings {
  project: string;
  /** The servers' state, logs and pid files: see `stateDir`. */
  state: string;
  env: Environment;
  ports: { temporal: StackPort; temporalUi: StackPort; mlflow: StackPort; api: StackPort };
}

/** Ports as the command line gives them. */
export interface PortFlags {
  temporalPort?: string;
  temporalUiPort?: string;
  mlflowPort?: string;
  apiPort?: string;
}

/** Ports of the servers when neither flag nor variable moves them: those of Temporal's and MLflow's own tools, and one for the API. */
const DEFAULT_PORTS = { temporal: 7233, temporalUi: 8233, mlflow: 5000, api: 8000 };

/**
 * Where the stack's servers listen: flag, variable, where they run already, default.
 *
 * @param stack what `retrain up` left
 * @throws RetrainError USAGE for what is no port, CONFIG_INVALID when two of them are the same
 */
export function stackSettings(
  project: string,
  env: Environment,
  stack: StackFile | null,
  flags: PortFlags = {},
): StackSettings {
  const now = { ...DEFAULT_PORTS, ...runningPorts(stack) };
  const port = (flag: string, variable: string, given: string | undefined, otherwise: number): StackPort => ({
    port: given === undefined ? parsePort(variable, env[variable] || otherwise) : parsePort(flag, given),
    flag,
    variable,
  });
  const ports = {
    temporal: port('--temporal-port', 'RETRAIN_TEMPORAL_PORT', flags.temporalPort, now.temporal),
    temporalUi: port('--temporal-ui-port', 'RETRAIN_TEMPORAL_UI_PORT', flags.temporalUiPort, now.temporalUi),
    mlflow: port('--mlflow-port', 'RETRAIN_MLFLOW_PORT', flags.mlflowPort, now.mlflow),
    api: port('--api-port', 'RETRAIN_API_PORT', flags.apiPort, now.api),
  };
  const all = Object.values(ports);
  const twice = all.find((one, i) => all.findIndex((other) => other.port === one.port) !== i);
  if (twice !== undefined) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `port ${twice.port} is given to two servers; move one with ${twice.flag} or ${twice.variable}`,
    );
  }
  return { project, state: stateDir(project, env), env, ports };
}

function runningPorts(stack: StackFile | null): Partial<typeof DEFAULT_PORTS> {
  const { temporal, mlflow, api } = stack ?? {};
  return {
    ...(temporal?.startedByUs === true && {
      temporal: portOf(`http://${temporal.address}`),
      ...(temporal.uiUrl !== null && { temporalUi: portOf(temporal.uiUrl) }),
    }),
    ...(mlflow?.startedByUs === true && { mlflow: portOf(mlflow.uri) }),
    ...(api && { api: portOf(api.uri) }),
  };
}

function portOf(uri: string): number {
  return Number(new URL(uri).port);
}

/** Log of a part of the stack. */
export function logFile(settings: StackSettings, name: string): string {
  return join(settings.state, 'logs', `${name}.log`);
}

/** Pid file of a part of the stack. */
export function pidFile(settings: StackSettings, name: string): string {
  return join(settings.state, 'run', `${name}.pid`);
}

function parsePort(name: string, value: string | number): number {
  const port = Number(value);
  if (/^\d+$/.test(String(value)) && port >= 1 && port <= 65_535) return port;
  throw new RetrainError('USAGE', `${name} must be a port from 1 to 65535, got ${value}`);
}
