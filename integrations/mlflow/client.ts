import { resolveSource } from './model-source';
import { Artifacts } from './artifacts';
import type { RetryRule } from '../files/retry';
import type { HttpExchange } from './exchange';
import { Experiments } from './experiments';
import { MlflowLinks } from './links';
import { LoggedModels } from './logged-models';
import { Registry } from './registry';
import { Runs } from './runs';
import type { MlflowSettings } from './settings';
import { MlflowTransport } from './transport';
import { undiciExchange } from './undici-exchange';

/** MLflow as the rest of the product sees it. Errors are `MlflowError`s, a kind of RetrainError. */
export interface Mlflow {
  readonly settings: MlflowSettings;
  readonly experiments: Experiments;
  readonly runs: Runs;
  readonly artifacts: Artifacts;
  readonly registry: Registry;
  readonly loggedModels: LoggedModels;
  readonly links: MlflowLinks;
  /** Follows a model version’s source to the artifact URI of its files. @throws RetrainError NOT_FOUND, CONFIG_INVALID */
  resolveSource(source: string, signal?: AbortSignal): Promise<string>;
  /** Drops the connections. */
  close(): Promise<void>;
}

/** A client for one server; keep it for the life of the process, and close it at its end. */
export function createMlflow(
  settings: MlflowSettings,
  options: { exchange?: HttpExchange; rule?: RetryRule } = {},
): Mlflow {
  const transport = new MlflowTransport(settings, options.exchange ?? undiciExchange(), options.rule);
  const runs = new Runs(transport);
  const registry = new Registry(transport);
  return {
    settings,
    experiments: new Experiments(transport),
    runs,
    artifacts: new Artifacts(transport),
    registry,
    loggedModels: new LoggedModels(transport),
    links: new MlflowLinks(settings),
    resolveSource: (source, signal) => resolveSource(source, { transport, runs, registry }, signal),
    close: () => transport.close(),
  };
}
