import { z } from 'zod';
import { below } from './artifact-path';
import { retryRequest } from './backoff';
import { alreadyExists, MlflowError, notFound } from './errors';
import { LIMIT, validKey, validValue } from './limits';
import {
  modelFrom,
  ModelReply,
  type ModelVersion,
  type RegisteredModel,
  versionFrom,
  VersionReply,
} from './registry-record';
import { runFrom, RunReply } from './run-record';
import { quoted } from './run-search';
import type { MlflowTransport } from './transport';

const Nothing = z.looseObject({});
const OneVersion = z.looseObject({ model_version: VersionReply });
const SourceRun = z.looseObject({ run: RunReply });
const ModelPage = z.looseObject({
  registered_models: z.array(z.looseObject({ name: z.string() })).default([]),
});
const VersionPage = z.looseObject({
  model_versions: z.array(VersionReply).default([]),
  next_page_token: z.string().optional(),
});

export interface NewVersion {
  name: string;
  /** The run that made the model; one version per run. */
  runId: string;
  /** `runs:/<run id>/model`, or the artifact URI itself. */
  source: string;
  tags: Record<string, string>;
  /** Logged model that it is of. */
  modelId?: string | undefined;
  description?: string;
}

/** How often an alias is looked at whose version is deleted at that moment; then it points to nothing. */
const ALIAS_LOOKS = 3;

export type LegacyStage = 'None' | 'Staging' | 'Production' | 'Archived';

/** MLflow’s model registry. Every method may be repeated after a crash or a lost answer at any point. */
export class Registry {
  constructor(private readonly transport: MlflowTransport) {}

  /** The registered model with its aliases, or null. */
  async findModel(name: string, signal?: AbortSignal): Promise<RegisteredModel | null> {
    try {
      return modelFrom(await this.transport.get('registered-models/get', { name }, ModelReply, { signal }));
    } catch (error) {
      if (notFound(error)) return null;
      throw error;
    }
  }

  /** Names of registered models, those first that were changed last; at most `limit` of them, 1000 or fewer. */
  async listModels(limit: number, signal?: AbortSignal): Promise<string[]> {
    const query = { max_results: String(limit), order_by: 'last_updated_timestamp DESC' };
    const page = await this.transport.get('registered-models/search', query, ModelPage, { signal });
    return page.registered_models.map(({ name }) => name);
  }

  /** Makes the registered model if need be. Names are unique on the server, so a race has one winner and no loser. */
  async ensureModel(name: string, signal?: AbortSignal): Promise<void> {
    if ((await this.findModel(name, signal)) !== null) return;
    try {
      await this.transport.post('registered-models/create', { name }, Nothing, { signal });
    } catch (error) {
      if (!alreadyExists(error)) throw error;
    }
  }

  /**
   * The version that was made from a run, made if need be; the registered model too. MLflow would make another one
   * on each create, so the run’s version is looked up before, and again after: of twins the lowest number is kept and the
   * others, which carry no alias yet, are deleted.
   */
  async findOrCreateVersion(wanted: NewVersion, signal?: AbortSignal): Promise<ModelVersion> {
    const single = new Registry(this.transport.once());
    const kept = await retryRequest(this.transport.rule, signal, () => single.versionOfRun(wanted, signal));
    // A reused version may come from an attempt that died half-way: its tags are brought up to date.
    const stale = Object.entries(wanted.tags).filter(([key, value]) => kept.tags[key] !== value);
    await this.setVersionTags(wanted.name, kept.version, Object.fromEntries(stale), signal);
    return { ...kept, tags: { ...kept.tags, ...wanted.tags } };
  }

  private async versionOfRun(wanted: NewVersion, signal?: AbortSignal): Promise<ModelVersion> {
    let versions = await this.versionsOfRun(wanted, signal);
    if (versions.length === 0) {
      const created = await this.createIn(wanted, signal);
      versions = await this.versionsOfRun(wanted, signal);
      if (versions.length === 0) return created;
    }
    const [first, ...twins] = versions as [ModelVersion, ...ModelVersion[]];
    for (const twin of twins) await this.deleteVersion(twin.name, twin.version, signal);
    return first;
  }

  /** The model is there but for its first version: it is made when the server misses it. */
  private async createIn(wanted: NewVersion, signal?: AbortSignal): Promise<ModelVersion> {
    try {
      return await this.createVersion(wanted, signal);
    } catch (error) {
      if (!notFound(error)) throw error;
      await this.ensureModel(wanted.name, signal);
      return this.createVersion(wanted, signal);
    }
  }

  private async versionsOfRun(wanted: NewVersion, signal?: AbortSignal): Promise<ModelVersion[]> {
    const filter = `name=${quoted(wanted.name)} and run_id=${quoted(wanted.runId)}`;
    const versions = await this.search(filter, 1000, signal);
    return versions.sort((a, b) => Number(a.version) - Number(b.version));
  }

  private async createVersion(wanted: NewVersion, signal?: AbortSignal): Promise<ModelVersion> {
    const body = {
      name: wanted.name,
      source: await this.artifactUri(wanted.source, signal),
      run_id: wanted.runId,
      ...(wanted.modelId === undefined ? {} : { model_id: wanted.modelId }),
      tags: Object.entries(wanted.tags).map(([key, value]) => ({
        key: validKey(key),
        value: validValue(value, LIMIT.versionTag),
      })),
      ...(wanted.description === undefined ? {} : { description: wanted.description }),
    };
    return versionFrom(
      (await this.transport.post('model-versions/create', body, OneVersion, { signal })).model_version,
    );
  }

  /**
   * `runs:/…` as the address behind it, as Python’s client does: the server cannot read `runs:/…` itself, and its version
   * page would show no schema.
   */
  private async artifactUri(source: string, signal?: AbortSignal): Promise<string> {
    const [, runId, path = ''] = /^runs:\/+([^/]+)\/?(.*)$/.exec(source) ?? [];
    if (runId === undefined) return source;
    const { run } = await this.transport.get('runs/get', { run_id: runId }, SourceRun, { signal });
    return below(runFrom(run).artifactUri, path);
  }

  /** @throws RetrainError NOT_FOUND */
  async getVersion(name: string, version: string, signal?: AbortSignal): Promise<ModelVersion> {
    const reply = await this.transport.get('model-versions/get', { name, version }, OneVersion, { signal });
    return versionFrom(reply.model_version);
  }

  /** Newest first, with aliases (which the server’s search leaves out). */
  async listVersions(name: string, limit = 1000, signal?: AbortSignal): Promise<ModelVersion[]> {
    const model = await this.findModel(name, signal);
    if (model === null) return [];
    const versions = await this.search(`name=${quoted(name)}`, limit, signal);
    return versions.map((version) => ({
      ...version,
      aliases: Object.keys(model.aliases).filter((alias) => model.aliases[alias] === version.version),
    }));
  }

  /**
   * The version that an alias points to, or null when there is no such alias or model. MLflow answers “invalid parameter” for an alias
   * that is not set, which is no mistake; and the alias may be set, moved or deleted by others between that answer and a look
   * at the model’s own list. So the list decides, and is looked at again when its version has gone.
   */
  async findByAlias(name: string, alias: string, signal?: AbortSignal): Promise<ModelVersion | null> {
    try {
      const reply = await this.transport.get('registered-models/alias', { name, alias }, OneVersion, {
        signal,
      });
      return versionFrom(reply.model_version);
    } catch (error) {
      if (notFound(error)) return null;
      if (!(error instanceof MlflowError) || error.status !== 400) throw error;
    }
    for (let look = 0; look < ALIAS_LOOKS; look++) {
      const version = (await this.findModel(name, signal))?.aliases[alias];
      if (version === undefined) return null;
      try {
        return await this.getVersion(name, version, signal);
      } catch (error) {
        if (!notFound(error)) throw error;
      }
    }
    return null;
  }

  /** Points the alias to a version, away from whichever had it. There is no compare-and-swap: have one writer per model. */
  async setAlias(name: string, alias: string, version: string, signal?: AbortSignal): Promise<void> {
    await this.transport.post('registered-models/alias', { name, alias, version }, Nothing, { signal });
  }

  /** Removes the alias; none there is fine. */
  async deleteAlias(name: string, alias: string, signal?: AbortSignal): Promise<void> {
    const path = '/api/2.0/mlflow/registered-models/alias';
    try {
      await this.transport.call('DELETE', path, {}, { name, alias }, Nothing, { signal });
    } catch (error) {
      if (!(error instanceof MlflowError) || (error.status !== 400 && error.status !== 404)) throw error;
      if ((await this.findModel(name, signal))?.aliases[alias] !== undefined) throw error;
    }
  }

  /** MLflow takes version tags one by one. */
  async setVersionTags(
    name: string,
    version: string,
    tags: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<void> {
    for (const [key, value] of Object.entries(tags)) {
      const body = { name, version, key: validKey(key), value: validValue(value, LIMIT.versionTag) };
      await this.transport.post('model-versions/set-tag', body, Nothing, { signal });
    }
  }

  /** Tags of the registered model itself. */
  async setModelTags(name: string, tags: Record<string, string>, signal?: AbortSignal): Promise<void> {
    for (const [key, value] of Object.entries(tags)) {
      const body = { name, key: validKey(key), value: validValue(value, LIMIT.tag) };
      await this.transport.post('registered-models/set-tag', body, Nothing, { signal });
    }
  }

  /** Removes a version; none there is fine. Its run and files stay. */
  async deleteVersion(name: string, version: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.transport.call(
        'DELETE',
        '/api/2.0/mlflow/model-versions/delete',
        {},
        { name, version },
        Nothing,
        {
          signal,
        },
      );
    } catch (error) {
      if (!notFound(error)) throw error;
    }
  }

  /**
   * Moves a version to a deprecated stage, and whichever had Staging or Production to Archived.
   * @returns `unsupported` when the server has no stages any more
   * @throws RetrainError NOT_FOUND
   */
  async transitionStage(
    name: string,
    version: string,
    stage: LegacyStage,
    signal?: AbortSignal,
  ): Promise<'done' | 'unsupported'> {
    const archive = stage === 'Staging' || stage === 'Production';
    const body = { name, version, stage, archive_existing_versions: archive };
    try {
      await this.transport.post('model-versions/transition-stage', body, Nothing, { signal });
      return 'done';
    } catch (error) {
      const gone = error instanceof MlflowError && error.code === 'MLFLOW_REFUSED';
      if (gone && [404, 405, 410, 501].includes(error.status ?? 0)) return 'unsupported';
      throw error;
    }
  }

  private async search(filter: string, limit: number, signal?: AbortSignal): Promise<ModelVersion[]> {
    const found: ModelVersion[] = [];
    let token = '';
    do {
      const page = await this.transport.get(
        'model-versions/search',
        {
          filter,
          order_by: 'version_number DESC',
          max_results: String(Math.min(limit - found.length, 1000)),
          ...(token === '' ? {} : { page_token: token }),
        },
        VersionPage,
        { signal },
      );
      found.push(...page.model_versions.map(versionFrom));
      token = page.next_page_token ?? '';
    } while (token !== '' && found.length < limit);
    return found;
  }
}
