import { ALIAS } from '../../contracts/names';
import { BRIEF } from './backoff';
import { MlflowError, notFound } from './errors';
import { type HttpExchange } from './exchange';
import { plainExchange } from './plain-exchange';
import { Registry } from './registry';
import { type MlflowSettings } from './settings';
import { MlflowTransport } from './transport';

/** What has become of a model version since the run that made it. */
export interface Standing {
  /** False: it was deleted. */
  exists: boolean;
  /** The version in production at this moment; null: none is. */
  production: string | null;
  /** Aliases that point to it. */
  aliases: string[];
}

/**
 * Looks up where a version stands now: a result tells what was so when its run ended. One small request, two for a version
 * without an alias; undici stays unloaded. Null when MLflow does not answer.
 */
export async function versionStanding(
  settings: MlflowSettings,
  { model, modelVersion }: { model: string; modelVersion: string },
  options: { signal?: AbortSignal; exchange?: HttpExchange } = {},
): Promise<Standing | null> {
  const transport = new MlflowTransport(settings, options.exchange ?? plainExchange(), BRIEF);
  try {
    const registry = new Registry(transport);
    const { aliases = {} } = (await registry.findModel(model, options.signal)) ?? {};
    const own = Object.keys(aliases).filter((alias) => aliases[alias] === modelVersion);
    return {
      exists: own.length > 0 || (await exists(registry, model, modelVersion, options.signal)),
      production: aliases[ALIAS.production] ?? null,
      aliases: own,
    };
  } catch (error) {
    if (error instanceof MlflowError) return null;
    throw error;
  } finally {
    await transport.close();
  }
}

async function exists(
  registry: Registry,
  model: string,
  version: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    await registry.getVersion(model, version, signal);
    return true;
  } catch (error) {
    if (notFound(error)) return false;
    throw error;
  }
}
