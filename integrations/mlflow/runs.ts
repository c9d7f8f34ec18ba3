import { z } from 'zod';
import { RUN_TAG } from '../../contracts/names';
import type { TrainingResult } from '../../contracts/run';
import { retryRequest } from './backoff';
import { MlflowError } from './errors';
import { ownerTags, newestFinished, type RunOwner, standing } from './run-owner';
import { type DatasetInput, logDatasets, type RunLog, logToRun, tagPairs } from './run-log';
import { type MlflowRun, runFrom, RunReply } from './run-record';
import { quoted, runsOfKey, searchRuns } from './run-search';
import type { MlflowTransport } from './transport';

const One = z.looseObject({ run: RunReply });
const Nothing = z.looseObject({});

/** Leaves room for the identity below the 100 that MLflow takes at once. */
const TAGS_IN_CREATE = 90;

/** A search that names thousands is slow on some databases. */
const EXPERIMENTS_AT_ONCE = 100;

export interface OpenRunRequest {
  experimentId: string;
  /** Shown in MLflow’s lists. */
  name: string;
  identity: RunOwner;
  tags: Record<string, string>;
  params: Record<string, string | number | boolean | null>;
  datasets?: readonly DatasetInput[];
}

/** Either the run exists already and has its result, or it is open for logging. */
export type OpenedRun =
  | { state: 'finished'; run: MlflowRun; result: TrainingResult }
  | { state: 'open'; run: MlflowRun; reused: boolean };

/** MLflow’s runs. Every method may be repeated after a crash or a lost answer at any point. */
export class Runs {
  constructor(private readonly transport: MlflowTransport) {}

  /**
   * The run of an identity: a finished one of the same key, else my own running one, else a new one with its tags,
   * params and dataset logged. Idempotent: what a lost answer or a second attempt left behind is found by its tags, which are
   * set by the create itself; of twins, all attempts keep the first by (start time, run id) and delete the
   * others. Running runs of an earlier run of the same workflow are marked KILLED.
   */
  async open(request: OpenRunRequest, signal?: AbortSignal): Promise<OpenedRun> {
    const single = new Runs(this.transport.once());
    return retryRequest(this.transport.rule, signal, () => single.openOnce(request, signal));
  }

  private async openOnce(request: OpenRunRequest, signal?: AbortSignal): Promise<OpenedRun> {
    const opened = await this.findOrCreate(request, signal);
    if (opened.state === 'finished') return opened;
    const { runId } = opened.run;
    const late = Object.fromEntries(Object.entries(request.tags).slice(TAGS_IN_CREATE));
    try {
      await logToRun(this.transport, runId, { params: request.params, tags: late }, signal);
      await logDatasets(this.transport, runId, request.datasets ?? [], signal);
      return opened;
    } catch (error) {
      if (!(error instanceof MlflowError) || error.retryable || !(await this.get(runId, signal)).deleted)
        throw error;
      const what = `MLflow run ${runId} was deleted in favour of its twin`;
      throw new MlflowError('MLFLOW_BUSY', `${what}; open the run again`, {}, { cause: error });
    }
  }

  private async findOrCreate(request: OpenRunRequest, signal?: AbortSignal): Promise<OpenedRun> {
    const before = await this.standing(request, signal);
    if (before.finished !== null) return { state: 'finished', ...before.finished };
    for (const orphan of before.orphans) {
      const theirs = orphan.tags[RUN_TAG.workflowRunId] ?? 'unknown';
      const tags = { [RUN_TAG.failureReason]: `its workflow run ${theirs} is over` };
      await this.finish(orphan.runId, 'KILLED', { tags, signal });
    }
    const [mine, ...twins] = before.mine;
    if (mine !== undefined) return this.keep(mine, twins, true, signal);
    const created = await this.create(request, signal);
    const [first = created, ...others] = (await this.standing(request, signal)).mine;
    return this.keep(first, others, false, signal);
  }

  private async standing(
    request: OpenRunRequest,
    signal?: AbortSignal,
  ): Promise<ReturnType<typeof standing>> {
    const { experimentId, identity } = request;
    return standing(await runsOfKey(this.transport, experimentId, identity.pipelineKey, signal), identity);
  }

  private async keep(
    run: MlflowRun,
    twins: readonly MlflowRun[],
    reused: boolean,
    signal?: AbortSignal,
  ): Promise<OpenedRun> {
    for (const twin of twins) await this.delete(twin.runId, signal);
    return { state: 'open', run, reused };
  }

  private async create(request: OpenRunRequest, signal?: AbortSignal): Promise<MlflowRun> {
    const early = Object.fromEntries(Object.entries(request.tags).slice(0, TAGS_IN_CREATE));
    const body = {
      experiment_id: request.experimentId,
      run_name: request.name,
      start_time: Date.now(),
      tags: tagPairs({ ...early, ...ownerTags(request.identity) }),
    };
    const { run } = await this.transport.post('runs/create', body, One, { signal });
    return runFrom(run);
  }

  /** Writes params, tags, metrics. Safe to repeat with the same values. */
  async log(runId: string, log: RunLog, signal?: AbortSignal): Promise<void> {
    await logToRun(this.transport, runId, log, signal);
  }

  /**
   * Ends the run: tags first, then the status, so that a FINISHED run always has its result. Safe to repeat. With an
   * identity, twins that a late answer brought to light since `open` are deleted.
   */
  async finish(
    runId: string,
    status: 'FINISHED' | 'FAILED' | 'KILLED',
    options: {
      tags?: Record<string, string>;
      /** Epoch ms; now when absent. */
      endedAt?: number;
      identity?: RunOwner & { experimentId: string };
      signal?: AbortSignal | undefined;
    } = {},
  ): Promise<void> {
    const { tags, identity, signal } = options;
    if (tags !== undefined) await logToRun(this.transport, runId, { tags }, signal);
    const body = { run_id: runId, status, end_time: options.endedAt ?? Date.now() };
    await this.transport.post('runs/update', body, Nothing, { signal });
    if (identity === undefined) return;
    const runs = await runsOfKey(this.transport, identity.experimentId, identity.pipelineKey, signal);
    for (const twin of standing(runs, identity).mine) {
      if (twin.runId !== runId) await this.delete(twin.runId, signal);
    }
  }

  /**
   * The first active run of an experiment that has a tag, made if need be. Of twins that a lost answer left, everybody takes the
   * first by (start time, run id).
   */
  async findOrCreateTagged(
    experimentId: string,
    name: string,
    [tag, value]: readonly [string, string],
    signal?: AbortSignal,
  ): Promise<MlflowRun> {
    const find = async (): Promise<MlflowRun | undefined> => {
      const query = {
        experimentIds: [experimentId],
        filter: `tags.${tag} = ${quoted(value)}`,
        orderBy: ['attributes.start_time ASC'],
        limit: 100,
      };
      const found = await searchRuns(this.transport, query, signal);
      return found.sort((a, b) => a.startedAt - b.startedAt || (a.runId < b.runId ? -1 : 1))[0];
    };
    const before = await find();
    if (before !== undefined) return before;
    const body = {
      experiment_id: experimentId,
      run_name: name,
      start_time: Date.now(),
      tags: tagPairs({ [tag]: value }),
    };
    const { run } = await this.transport.post('runs/create', body, One, { signal });
    return (await find()) ?? runFrom(run);
  }

  /** Moves the run to MLflow’s bin. Safe to repeat. */
  async delete(runId: string, signal?: AbortSignal): Promise<void> {
    await this.transport.post('runs/delete', { run_id: runId }, Nothing, { signal });
  }

  /** @throws RetrainError NOT_FOUND */
  async get(runId: string, signal?: AbortSignal): Promise<MlflowRun> {
    return runFrom((await this.transport.get('runs/get', { run_id: runId }, One, { signal })).run);
  }

  /** The newest finished run of a key with a readable result, or null. */
  async findFinished(
    experimentId: string,
    pipelineKey: string,
    signal?: AbortSignal,
  ): Promise<{ run: MlflowRun; result: TrainingResult } | null> {
    const runs = await runsOfKey(this.transport, experimentId, pipelineKey, signal);
    return newestFinished(runs, undefined);
  }

  /** The newest runs of the experiments that `retrain` made (they have a pipeline key), newest first. */
  async list(experimentIds: string[], limit: number, signal?: AbortSignal): Promise<MlflowRun[]> {
    if (experimentIds.length === 0) return [];
    const query = {
      experimentIds,
      filter: `tags.${RUN_TAG.pipelineKey} LIKE '%'`,
      orderBy: ['attributes.start_time DESC'],
      limit,
    };
    return searchRuns(this.transport, query, signal);
  }

  /** Runs of `retrain` that say RUNNING, in any of the experiments. */
  async listOpen(experimentIds: readonly string[], signal?: AbortSignal): Promise<MlflowRun[]> {
    const found: MlflowRun[] = [];
    for (let at = 0; at < experimentIds.length; at += EXPERIMENTS_AT_ONCE) {
      const query = {
        experimentIds: experimentIds.slice(at, at + EXPERIMENTS_AT_ONCE),
        filter: `attributes.status = 'RUNNING' AND tags.${RUN_TAG.pipelineKey} LIKE '%'`,
        orderBy: ['attributes.start_time ASC'],
        limit: 10_000,
      };
      found.push(...(await searchRuns(this.transport, query, signal)));
    }
    return found;
  }
}
