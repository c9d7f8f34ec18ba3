import { Context } from '@temporalio/activity';
import { type Client } from '@temporalio/client';
import { type DriftReport } from '../contracts/drift';
import { DriftParams, falseAlarmsPerCheck, windowMs } from '../contracts/drift-params';
import { RetrainError } from '../contracts/errors';
import { type Params } from '../contracts/params';
import {
  type DriftLook,
  type Look,
  MonitorInput,
  type WatchActivities,
  type WatchRun,
  type WatchSpec,
} from '../contracts/watch';
import { parseModelReference } from '../integrations/mlflow/registered-run';
import { dataInsideProject } from '../pipeline/run/inside-project';
import { loadParams } from '../pipeline/run/load-params';
import { servedVersion } from '../serving/model/fetch-checked';
import { checkAccuracy } from '../serving/watch/check-accuracy';
import { type CheckDrift, type DriftDeps } from '../serving/watch/drift-question';
import { uploadDriftReport } from '../serving/watch/keep-report';
import { checkTraining } from '../serving/watch/check-training';
import { fromTemporal } from '../temporal/errors';
import { tellAlarmDesk } from '../temporal/ask-alarm-desk';
import { withHeartbeat } from './heartbeat';
import { quietUntil } from './quiet-until';
import { accuracyLook, driftLook } from './looks';
import { supersededBy } from './superseded';

export interface WatchDeps {
  client: Client;
  /** For messages. */
  address: string;
  taskQueue: string;
  drift: DriftDeps;
  checkDrift: CheckDrift;
}

const SOURCE = 'monitorModel';
/** Tag of the MLflow run that holds a version's checks: `iris-classifier/3`. */
const WATCH_TAG = 'monitored_version';

/** A check of a model in production: what is asked for, the looks, and what is kept of them. All of it by the moment that the check is of. */
export function createWatchActivities(deps: WatchDeps): WatchActivities {
  const { client, address, taskQueue, drift } = deps;
  const { project, mlflow } = drift;

  return {
    /** Reads only. */
    async resolveWatch(given) {
      const input = checkedInput(given);
      const { scheduledTimestampMs, workflowExecution } = Context.current().info;
      return withHeartbeat(async (signal): Promise<WatchSpec> => {
        if (input.data !== undefined) await dataInsideProject(project, input.data, SOURCE, 'data');
        const version = await servedVersion(mlflow, parseModelReference(input.model), signal);
        const { params, path } = await paramsOf(deps, version.name, version.runId, input.params, signal);
        const asked = watchParams(params);
        const now = input.now === undefined ? scheduledTimestampMs : Date.parse(input.now);
        const from = now - windowMs(input.window ?? asked.window);
        const quiet = quietUntil(now, asked.quiet);
        return {
          checkId: workflowExecution?.runId ?? '',
          ...{ model: version.name, modelVersion: version.version, modelRunId: version.runId },
          data: input.data ?? null,
          from: new Date(from).toISOString(),
          now: new Date(now).toISOString(),
          paramsPath: path,
          policy: {
            notify: params.notify.on.includes('drift'),
            train: asked.on_alarm === 'train',
            trainEveryMs: windowMs(asked.train_every),
            resolvedAfter: asked.resolved_after,
            quietUntil: quiet === null ? null : new Date(quiet).toISOString(),
            clock: input.now === undefined ? 'machine' : 'given',
            params: path,
          },
          ...(input.project === undefined ? {} : { project: input.project }),
        };
      });
    },

    /** Idempotent: the report is named by the moment of the check, and replaces itself. */
    async lookForDrift({ watch }) {
      return withHeartbeat(async (signal, onProgress): Promise<DriftLook> => {
        const params = await paramsNow(deps, watch);
        const looked = await unlessTrouble<DriftLook>(async () => {
          const report = await deps.checkDrift(
            drift,
            {
              model: `${watch.model}@${watch.modelVersion}`,
              current: await rowsOf(deps, watch),
              params: sharedAlarms(params, watch),
            },
            {
              signal,
              onProgress: (phase, done) => onProgress({ phase, ...(done === undefined ? {} : { done }) }),
            },
          );
          const kept = report.enough ? await keepReport(deps, watch, report, signal) : null;
          return { ...driftLook(report), report: kept };
        });
        return { report: null, ...looked };
      });
    },

    /** Idempotent, as the look for drift. */
    async lookAtAccuracy({ watch }) {
      if (watch.data !== null) {
        return nothing('a table was looked at, and no predictions');
      }
      return withHeartbeat(async (signal, onProgress) => {
        const params = sharedAlarms(await paramsNow(deps, watch), watch);
        const now = new Date(watch.now);
        return unlessTrouble(async () => {
          const report = await checkAccuracy(
            drift,
            {
              model: `${watch.model}@${watch.modelVersion}`,
              from: new Date(now.getTime() - windowMs(params.accuracy.window)),
              to: now,
              params,
            },
            {
              signal,
              onProgress: (phase, done) => onProgress({ phase, ...(done === undefined ? {} : { done }) }),
            },
          );
          if (report.rows > 0) {
            const { root } = await watchRun(deps, watch, signal);
            const text = JSON.stringify(report, null, 1);
            await mlflow.artifacts.uploadBytes(
              root,
              `${folderOf(watch)}/accuracy.json`,
              Buffer.from(text),
              signal,
            );
          }
          return accuracyLook(report);
        });
      });
    },

    /** Idempotent: what a training came to is noted in its version's tags, and read there the next time. */
    async lookAtTraining({ watch }) {
      return withHeartbeat(async (signal, onProgress) => {
        const params = await paramsNow(deps, watch);
        return unlessTrouble(() =>
          checkTraining(
            drift,
            { model: watch.model, params },
            { signal, onProgress: (phase) => onProgress({ phase }) },
          ),
        );
      });
    },

    /** Idempotent: the run is found by its tag, and the same points at the same moment are one. */
    async recordWatch({ watch, looks }) {
      return withHeartbeat(async (signal): Promise<WatchRun> => {
        const { mlflowRunId, mlflowExperimentId } = await watchRun(deps, watch, signal);
        const at = Date.parse(watch.now);
        const metrics = Object.assign({}, ...looks.map((look) => look.metrics)) as Look['metrics'];
        await mlflow.runs.log(mlflowRunId, { metrics, at, step: Math.floor(at / 1000) }, signal);
        return { mlflowRunId, mlflowExperimentId };
      });
    },

    /** Idempotent: the desk takes a check once, by its id. */
    async tellDesk({ finding, asked }) {
      return withHeartbeat(async (signal) => {
        const since = await supersededBy(mlflow, asked, finding.modelVersion, signal);
        if (since !== null) {
          return { raised: [], resolved: [], open: [], heldUntil: null, training: null, supersededBy: since };
        }
        try {
          return await tellAlarmDesk({ client, taskQueue }, finding, signal);
        } catch (error) {
          throw fromTemporal(error, address);
        }
      });
    },
  };
}

/** @throws RetrainError CONFIG_INVALID, with the first mistake; anybody may have typed it into the Web UI */
function checkedInput(given: unknown): MonitorInput {
  const parsed = MonitorInput.safeParse(given);
  if (parsed.success && !(parsed.data.data !== undefined && parsed.data.log === true)) return parsed.data;
  const [issue] = parsed.error?.issues ?? [];
  const where = ['the input', ...(issue?.path ?? []).map(String)].join('.').slice(0, 100);
  throw new RetrainError(
    'CONFIG_INVALID',
    `${where}: ${issue?.message.slice(0, 200) ?? 'names both data and log'}; expected {"model": "iris-classifier@production"}, and maybe "data": "data/new.csv", or "window": "7d", "now": "2026-03-09T00:00:00Z"`,
  );
}

/**
 * The params file that says how to check: the one that is named, else params.yaml if it is of the model, else the one that its run was
 * started by.
 *
 * @throws RetrainError CONFIG_INVALID when it is of another model
 */
async function paramsOf(
  { drift: { project, mlflow } }: WatchDeps,
  model: string,
  runId: string,
  named: string | undefined,
  signal: AbortSignal,
): Promise<{ params: Params; path: string }> {
  const recorded =
    runId === '' ? undefined : (await mlflow.runs.get(runId, signal)).tags['mlflow.source.name'];
  const candidates =
    named === undefined ? ['params.yaml', ...(recorded === undefined ? [] : [recorded])] : [named];
  const seen: string[] = [];
  let failed: RetrainError | undefined;
  for (const path of new Set(candidates)) {
    try {
      const params = await loadParams(project, path);
      if (params.model === model) return { params, path };
      seen.push(`${path} is of ${params.model}`);
    } catch (error) {
      if (!(error instanceof RetrainError)) throw error;
      failed ??= error;
    }
  }
  if (seen.length === 0 && failed !== undefined) throw failed;
  throw new RetrainError(
    'CONFIG_INVALID',
    `no params file says how ${model} is checked: ${seen.join(', ')}; name its own ("params")`,
  );
}

/** As they are now: they may have changed since the check began, which harms nobody. */
async function paramsNow({ drift: { project } }: WatchDeps, watch: WatchSpec): Promise<DriftParams> {
  return watchParams(await loadParams(project, watch.paramsPath));
}

const watchParams = (params: Params): DriftParams => params.drift ?? DriftParams.parse({});

/** Drift and accuracy are two questions: of a log, each has half of the false alarms. */
function sharedAlarms(params: DriftParams, { data }: WatchSpec): DriftParams {
  return data === null ? { ...params, false_alarms: falseAlarmsPerCheck(params) / 2 } : params;
}

async function rowsOf(
  { drift: { project } }: WatchDeps,
  { data, from, now }: WatchSpec,
): Promise<Parameters<CheckDrift>[1]['current']> {
  if (data === null) return { source: 'log', from: new Date(from), to: new Date(now) };
  return { source: 'data', path: await dataInsideProject(project, data, SOURCE, 'data'), shown: data };
}

/** What cannot be looked at for good is told as such, and ends no check: its other parts go on. */
async function unlessTrouble<T extends Look>(work: () => Promise<T>): Promise<T | Look> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RetrainError) || error.retryable) throw error;
    return { ...nothing(error.message), trouble: error.message };
  }
}

function nothing(note: string): Look {
  return { checked: [], causes: [], more: 0, note, metrics: {}, trouble: null };
}

async function watchRun(
  { drift: { mlflow } }: WatchDeps,
  { model, modelVersion }: WatchSpec,
  signal: AbortSignal,
): Promise<WatchRun & { root: string }> {
  const mlflowExperimentId = await mlflow.experiments.ensure(`${model}-monitoring`, signal);
  const tag = [WATCH_TAG, `${model}/${modelVersion}`] as const;
  const { runId, artifactUri } = await mlflow.runs.findOrCreateTagged(
    mlflowExperimentId,
    `version ${modelVersion}`,
    tag,
    signal,
  );
  return { mlflowRunId: runId, mlflowExperimentId, root: artifactUri };
}

/** `checks/2026-03-09T00-00-00Z` */
const folderOf = ({ now }: WatchSpec): string => `checks/${now.slice(0, 19).replaceAll(':', '-')}Z`;

async function keepReport(
  deps: WatchDeps,
  watch: WatchSpec,
  report: DriftReport,
  signal: AbortSignal,
): Promise<NonNullable<DriftLook['report']>> {
  const { mlflow } = deps.drift;
  const { mlflowRunId, mlflowExperimentId, root } = await watchRun(deps, watch, signal);
  const { page, sha256 } = await uploadDriftReport(mlflow, root, folderOf(watch), report, signal);
  return { url: mlflow.links.artifact(mlflowExperimentId, mlflowRunId, page), sha256 };
}
