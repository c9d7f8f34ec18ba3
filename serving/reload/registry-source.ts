import { RetrainError } from '../../contracts/errors';
import { type Mlflow } from '../../integrations/mlflow/client';
import { type ModelVersion } from '../../integrations/mlflow/registry-record';
import { type ModelShelf } from '../../pipeline/model/fetch-model';
import { fetchChecked, servedVersion } from '../model/fetch-checked';
import { LiveModel, type Role } from './live-model';
import { readFacts } from './read-facts';
import { type SlotSource } from './slot';
import { warmUp } from './warm-up';

export interface RegistrySourceOptions {
  mlflow: Mlflow;
  shelf: ModelShelf;
  model: string;
  /** In PEM; null: signatures are not checked. */
  publicKey: string | null;
  /** Column by another name that callers use for it. */
  aliases: Readonly<Record<string, string>>;
}

/** Versions of MLflow's registry, by alias. */
export function registrySource(
  { mlflow, shelf, model, publicKey, aliases }: RegistrySourceOptions,
  alias: string,
  role: Role,
): SlotSource {
  const reference = { model, by: { alias } };
  return {
    async find(signal) {
      try {
        const version = await servedVersion(mlflow, reference, signal);
        return { version: version.version, key: keyOf(version) };
      } catch (error) {
        if (error instanceof RetrainError && error.code === 'NOT_FOUND') return null;
        throw error;
      }
    },
    async load(signal) {
      const opened = await fetchChecked(shelf, reference, { publicKey, aliases, signal });
      try {
        const facts = await readFacts(mlflow, opened, { role, alias, now: Date.now(), signal });
        await warmUp(opened.model, facts.example);
        const live = new LiveModel(facts, opened.model);
        return {
          live,
          key: keyOf({ version: opened.version, runId: opened.mlflowRunId ?? '' }),
          fresh: opened.fresh,
        };
      } catch (error) {
        await opened.model.close();
        throw error;
      }
    },
  };
}

/** Of a number that was given away twice (a model was deleted, and made again), the run differs. */
function keyOf({ version, runId }: Pick<ModelVersion, 'version' | 'runId'>): string {
  return `${version} ${runId}`;
}
