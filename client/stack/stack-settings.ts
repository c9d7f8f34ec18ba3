import { join } from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { type Environment } from '../../integrations/project/dot-env';
import { stateDir } from '../../temporal/stack-file';

/** A port of the stack, and how its user can move it. */
export interface StackPort {
  port: number;
  flag: string;
  variable: string;
}

export interface StackSettings {
  project: string;
  /** `.retrain`: the servers' state, logs and pid files. */
  state: string;
  env: Environment;
  ports: { temporal: StackPort; temporalUi: StackPort; mlflow: StackPort };
}

/** Ports as the command line gives them. */
export interface PortFlags {
  temporalPort?: string;
  temporalUiPort?: string;
  mlflowPort?: string;
}

/**
 * Where the stack's servers listen: flag, variable, default.
 *
 * @throws RetrainError USAGE for what is no port, CONFIG_INVALID when two of them are the same
 */
export function stackSettings(project: string, env: Environment, flags: PortFlags = {}): StackSettings {
  const ports = {
    temporal: stackPort(env, '--temporal-port', 'RETRAIN_TEMPORAL_PORT', flags.temporalPort, 7233),
    temporalUi: stackPort(env, '--temporal-ui-port', 'RETRAIN_TEMPORAL_UI_PORT', flags.temporalUiPort, 8233),
    mlflow: stackPort(env, '--mlflow-port', 'RETRAIN_MLFLOW_PORT', flags.mlflowPort, 5000),
  };
  const all = Object.values(ports);
  const twice = all.find((one, i) => all.findIndex((other) => other.port === one.port) !== i);
  if (twice !== undefined) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `port ${twice.port} is given to two servers; move one with ${twice.flag} or ${twice.variable}`,
    );
  }
  return { project, state: stateDir(project), env, ports };
}

/** Log of a part of the stack. */
export function logFile(settings: StackSettings, name: string): string {
  return join(settings.state, 'logs', `${name}.log`);
}

/** Pid file of a part of the stack. */
export function pidFile(settings: StackSettings, name: string): string {
  return join(settings.state, 'run', `${name}.pid`);
}

function stackPort(
  env: Environment,
  flag: string,
  variable: string,
  given: string | undefined,
  otherwise: number,
): StackPort {
  const text = given ?? (env[variable] || String(otherwise));
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return { port, flag, variable };
  throw new RetrainError(
    'USAGE',
    `${given === undefined ? variable : flag} must be a port from 1 to 65535, got ${text}`,
  );
}
