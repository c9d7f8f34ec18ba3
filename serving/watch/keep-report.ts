import { DRIFT_DATA, DRIFT_REPORT, RUN_TAG } from '../../contracts/names';
import { type DriftReport } from '../../contracts/drift';
import { type Mlflow } from '../../integrations/mlflow/client';
import { canonicalJson, type Json } from '../../ml/hashing/canonical-json';
import { sha256Hex } from '../../ml/hashing/pipeline-key';
import { driftHtml } from '../../ml/report/drift-html';

/** Where a report of drift is kept. */
export interface KeptReport {
  mlflowExperimentId: string;
  mlflowRunId: string;
  /** Page of MLflow with the report. */
  link: string;
}

/** Tag of a run in MLflow that is a check of drift: SHA-256 of what it found. */
const DRIFT_TAG = 'drift_key';

/** Columns whose figures are metrics of the run, the worst ones. */
const MOST_COLUMNS = 100;

/** Names that MLflow takes for a metric. */
const METRIC_NAME = /^[A-Za-z0-9_\-. ]{1,200}$/;

/**
 * Keeps a report in MLflow: a run of the experiment `<model>-drift` with the page, the figures as JSON, and what a chart needs as metrics.
 * Idempotent: the same report has the same run; one that is finished stays as it is. Files come before the status.
 *
 * @param at when it was checked, epoch ms: of an activity, when that was scheduled
 */
export async function keepDriftReport(
  mlflow: Mlflow,
  report: DriftReport,
  at: number,
  signal?: AbortSignal,
): Promise<KeptReport> {
  const { model, modelVersion, current } = report;
  const key = sha256Hex(canonicalJson(JSON.parse(JSON.stringify(report)) as Json));
  const experimentId = await mlflow.experiments.ensure(`${model}-drift`, signal);
  const name = `v${modelVersion} ${(current.window?.to ?? current.data?.path ?? '').slice(0, 100)}`;
  const run = await mlflow.runs.findOrCreateTagged(experimentId, name, [DRIFT_TAG, key], signal);
  const kept: KeptReport = {
    ...{ mlflowExperimentId: experimentId, mlflowRunId: run.runId },
    link: mlflow.links.artifact(experimentId, run.runId, DRIFT_REPORT),
  };
  if (run.status === 'FINISHED') return kept;
  await uploadDriftReport(mlflow, run.artifactUri, '', report, signal);
  await mlflow.runs.log(
    run.runId,
    {
      params: {
        ...{ model, model_version: modelVersion, source: current.source },
        ...(current.data === null ? {} : { data: current.data.path }),
        ...(current.window === null ? {} : current.window),
      },
      tags: {
        model_run_id: report.mlflowRunId,
        ...(current.data === null ? {} : { [RUN_TAG.dataHash]: current.data.hash }),
      },
      metrics: metricsOf(report),
      at,
    },
    signal,
  );
  await mlflow.runs.finish(run.runId, 'FINISHED', { endedAt: at, signal });
  return kept;
}

/**
 * Puts a report among the artifacts of a run: the figures as JSON, then the page. Idempotent: the files replace themselves.
 *
 * @param root the run's artifact URI
 * @param folder below it; empty: at its top
 * @returns where the page is, and SHA-256 of the figures
 */
export async function uploadDriftReport(
  mlflow: Mlflow,
  root: string,
  folder: string,
  report: DriftReport,
  signal?: AbortSignal,
): Promise<{ page: string; sha256: string }> {
  const within = (file: string): string => (folder === '' ? file : `${folder}/${file}`);
  const json = JSON.stringify(report, null, 1);
  await mlflow.artifacts.uploadBytes(root, within(DRIFT_DATA), Buffer.from(json), signal);
  await mlflow.artifacts.uploadBytes(root, within(DRIFT_REPORT), Buffer.from(driftHtml(report)), signal);
  return { page: within(DRIFT_REPORT), sha256: sha256Hex(json) };
}

function metricsOf({
  current,
  reference,
  causes,
  columns,
  prediction,
  joint,
}: DriftReport): Record<string, number> {
  const drifted = columns.filter(({ alarms }) => alarms.length > 0).length;
  return {
    ...{ rows: current.of, reference_rows: reference.of, alarms: causes.length, drifted_columns: drifted },
    ...(prediction === null ? {} : { 'psi.prediction': prediction.stability }),
    ...(joint === null ? {} : { joint_auc: joint.auc }),
    ...Object.fromEntries(
      columns
        .filter(({ name }) => METRIC_NAME.test(name))
        .slice(0, MOST_COLUMNS)
        .map(({ name, stability }) => [`psi.column.${name}`, stability]),
    ),
  };
}
