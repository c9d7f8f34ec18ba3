import { z } from 'zod';
import { retryRequest } from './backoff';
import { MlflowError, notFound } from './errors';
import { tagPairs } from './run-log';
import { quoted } from './run-search';
import type { MlflowTransport } from './transport';

const Nothing = z.looseObject({});
const ModelReply = z.looseObject({
  info: z.looseObject({
    model_id: z.string(),
    artifact_uri: z.string(),
    creation_timestamp_ms: z.coerce.number().default(0),
  }),
});
const OneModel = z.looseObject({ model: ModelReply });
const ModelPage = z.looseObject({ models: z.array(ModelReply).default([]) });
const RunWithOutputs = z.looseObject({
  run: z.looseObject({
    outputs: z
      .looseObject({ model_outputs: z.array(z.looseObject({ model_id: z.string() })).default([]) })
      .prefault({}),
  }),
});

/** A model as MLflow 3 keeps it: with files, metrics and versions of its own, linked to the run that made it. */
export interface LoggedModel {
  /** `m-` and 32 hex digits. */
  modelId: string;
  /** Root of its files. */
  artifactUri: string;
}

export interface NewLoggedModel {
  experimentId: string;
  /** The run that makes it; one model per run. */
  runId: string;
  /** Shown in MLflow’s lists; the last part of `runs:/<run id>/<name>`. */
  name: string;
  /** Algorithm. */
  modelType: string;
  tags: Record<string, string>;
}

/** MLflow 3’s logged models. Every method may be repeated after a crash or a lost answer at any point. */
export class LoggedModels {
  constructor(private readonly transport: MlflowTransport) {}

  /**
   * The model of a run, made if need be; null from a server that has none (MLflow 2). MLflow would make another one on each create,
   * so the run’s models are looked up before and again after: of twins the first is kept, the others, which nothing points to
   * yet, are deleted.
   */
  async ensure(wanted: NewLoggedModel, signal?: AbortSignal): Promise<LoggedModel | null> {
    const single = new LoggedModels(this.transport.once());
    try {
      return await retryRequest(this.transport.rule, signal, () => single.modelOfRun(wanted, signal));
    } catch (error) {
      if (isUnknownEndpoint(error)) return null;
      throw error;
    }
  }

  private async modelOfRun(wanted: NewLoggedModel, signal?: AbortSignal): Promise<LoggedModel> {
    let found = await this.ofRun(wanted, signal);
    if (found.length === 0) {
      const created = await this.create(wanted, signal);
      found = await this.ofRun(wanted, signal);
      if (found.length === 0) return created;
    }
    const [first, ...twins] = found as [LoggedModel, ...LoggedModel[]];
    for (const { modelId } of twins) await this.delete(modelId, signal);
    return first;
  }

  private async ofRun({ experimentId, runId }: NewLoggedModel, signal?: AbortSignal): Promise<LoggedModel[]> {
    const body = {
      experiment_ids: [experimentId],
      filter: `source_run_id = ${quoted(runId)}`,
      max_results: 50,
    };
    const { models } = await this.transport.post('logged-models/search', body, ModelPage, { signal });
    return models
      .sort(
        (a, b) =>
          a.info.creation_timestamp_ms - b.info.creation_timestamp_ms ||
          (a.info.model_id < b.info.model_id ? -1 : 1),
      )
      .map(modelFrom);
  }

  private async create(wanted: NewLoggedModel, signal?: AbortSignal): Promise<LoggedModel> {
    const body = {
      experiment_id: wanted.experimentId,
      name: wanted.name,
      source_run_id: wanted.runId,
      model_type: wanted.modelType,
      tags: tagPairs(wanted.tags),
    };
    return modelFrom((await this.transport.post('logged-models', body, OneModel, { signal })).model);
  }

  private async delete(modelId: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.transport.call('DELETE', pathOf(modelId), {}, undefined, Nothing, { signal });
    } catch (error) {
      if (!notFound(error)) throw error;
    }
  }

  /** Says that all files are there, and links the model to its run’s outputs. */
  async finish({ modelId }: LoggedModel, runId: string, signal?: AbortSignal): Promise<void> {
    const ready = { model_id: modelId, status: 'LOGGED_MODEL_READY' };
    await this.transport.call('PATCH', pathOf(modelId), {}, ready, Nothing, { signal });
    // MLflow refuses the same link twice.
    if (await this.isOutput(modelId, runId, signal)) return;
    const body = { run_id: runId, models: [{ model_id: modelId, step: 0 }] };
    try {
      await this.transport.post('runs/outputs', body, Nothing, { signal });
    } catch (error) {
      if (!(await this.isOutput(modelId, runId, signal))) throw error;
    }
  }

  private async isOutput(modelId: string, runId: string, signal?: AbortSignal): Promise<boolean> {
    const { run } = await this.transport.get('runs/get', { run_id: runId }, RunWithOutputs, { signal });
    return run.outputs.model_outputs.some((output) => output.model_id === modelId);
  }
}

const pathOf = (modelId: string): string => `/api/2.0/mlflow/logged-models/${modelId}`;

function modelFrom({ info }: z.output<typeof ModelReply>): LoggedModel {
  return { modelId: info.model_id, artifactUri: info.artifact_uri };
}

/** An old server knows no such address; that something is missing, it says with a code of its own. */
function isUnknownEndpoint(error: unknown): boolean {
  return error instanceof MlflowError && [404, 405, 501].includes(error.status ?? 0) && !notFound(error);
}
