import path from 'node:path';
import { TASK_QUEUE } from '../contracts/names';
import { mlflowSettings, type MlflowSettings } from '../integrations/mlflow/settings';
import { withDotEnv, type Environment } from '../integrations/files/dot-env';
import { stateDir } from '../integrations/files/state-dir';
import { readStackFile, type StackFile } from './stack/stack-file';

/** Where the embedded MLflow server listens unless it was moved. */
const DEFAULT_MLFLOW_URI = 'http://127.0.0.1:5000';

/** What every command knows about its surroundings. */
export interface ClientConfig {
  /** The project's folder: where the command was called. */
  project: string;
  /** See `stateDir`. */
  state: string;
  env: Environment;
  /** What `retrain up` left, if it is up. */
  stack: StackFile | null;
  mlflow: MlflowSettings;
  taskQueue: string;
  /** RETRAIN_CACHE: folder of the content store; null: DVC's own. */
  cache: string | null;
  /** dist/stage-code.json */
  stageCodeFile: string;
}

/** The state folder, whatever is wrong with the other settings: see `stateDir`. */
export function currentState(project = process.cwd()): string {
  return stateDir(project, process.env);
}

/** The one place where the CLI reads its environment: variables, then `.env`, then the stack that is up, then defaults. */
export function loadClientConfig(project = process.cwd()): ClientConfig {
  const env = withDotEnv(project, process.env);
  const state = stateDir(project, env);
  const stack = readStackFile(state);
  return {
    project,
    state,
    env,
    stack,
    mlflow: mlflowSettings(env, stack?.mlflow.uri ?? DEFAULT_MLFLOW_URI),
    taskQueue: env['RETRAIN_TASK_QUEUE'] || stack?.taskQueue || TASK_QUEUE,
    cache: env['RETRAIN_CACHE'] || null,
    stageCodeFile: path.join(__dirname, '..', 'stage-code.json'),
  };
}
