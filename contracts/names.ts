// Names that clients, workers, dashboards and other tools share. Constants only: workflow code imports this file.

export const TASK_QUEUE = 'retrain';

export const WORKFLOW = {
  trainingPipeline: 'trainingPipeline',
  deliverNotice: 'deliverNotice',
  modelSteward: 'modelSteward',
  batchPrediction: 'batchPrediction',
  monitorModel: 'monitorModel',
  alarmDesk: 'alarmDesk',
  collect: 'collect',
  collectDay: 'collectDay',
} as const;

export const QUERY = {
  state: 'state',
  progress: 'progress',
  /** Of a steward: production, what waits for approval, policy. */
  standing: 'standing',
  /** Of a steward: ledger entries from a number on, a page of them. */
  ledger: 'ledger',
  /** Of an alarm desk: what is open, and what is held back. */
  alarms: 'alarms',
} as const;

/** What a steward is asked to do. `decide` is the pipeline's; the others are people's. */
export const UPDATE = {
  decide: 'decide',
  approve: 'approve',
  reject: 'reject',
  promote: 'promote',
  rollback: 'rollback',
  /** To an alarm desk: what a check found. */
  settle: 'settle',
} as const;

/** To a steward: a candidate whose run ended before it asked again gives its turn back. */
export const SIGNAL = { withdraw: 'withdraw' } as const;

/** Type of the failure of an ask that is to be repeated in a moment: the line is long, or the steward is continuing as new. */
export const STEWARD_BUSY = 'STEWARD_BUSY';

/** Registered at bootstrap; each a Keyword but `Promoted`, a Bool. */
export const SEARCH_ATTRIBUTE = {
  model: 'Model',
  dataHash: 'DataHash',
  pipelineKey: 'PipelineKey',
  gitCommit: 'GitCommit',
  stage: 'Stage',
  promoted: 'Promoted',
  /** Key of a model's worst open alarm, or `none`. */
  alarm: 'Alarm',
} as const;

export const STAGES = ['preprocess', 'train', 'evaluate', 'register', 'promote'] as const;
export type StageName = (typeof STAGES)[number];

export const ALIAS = {
  production: 'production',
  staging: 'staging',
  previous: 'previous-production',
} as const;

/** Tags of an MLflow run. */
export const RUN_TAG = {
  dataHash: 'data_hash',
  dataMd5: 'data_md5',
  /** SHA-256 of the data without the tables that are joined to it; only where there are such tables. */
  dataSha256: 'data_sha256',
  /** JSON: the tables that are joined to the data (`data.extra`), by name: path, md5, sha256, sizeBytes. */
  dataExtra: 'data_extra',
  /** Bytes of the data; of a directory: of all of its files. */
  dataSize: 'data_size',
  /** SHA-256 by name of what the stages made: `artifact_sha256.train.parquet`. */
  artifactSha256: 'artifact_sha256',
  paramsHash: 'params_hash',
  /** Also one per compute stage: `code_hash.train`. */
  codeHash: 'code_hash',
  /** One per container stage: `image_digest.train`. */
  imageDigest: 'image_digest',
  /** JSON: versions of what computed. */
  libraryVersions: 'library_versions',
  /** One per file of the data where the repository has a web page of it: `data_url.data/iris.csv`. */
  dataUrl: 'data_url',
  pipelineKey: 'pipeline_key',
  forceId: 'force_id',
  workflowId: 'workflow_id',
  workflowRunId: 'workflow_run_id',
  /** Id of the Temporal namespace of both: tells servers apart that share an MLflow server. */
  temporalNamespaceId: 'temporal_namespace_id',
  gitCommit: 'git_commit',
  gitDirty: 'git_dirty',
  failureReason: 'failure_reason',
  /** What speaks against trusting the result, `kind: sentence; …`; of the version, too. Absent: nothing. */
  warnings: 'warnings',
  /** Of a training that an alarm asked for: what was wrong, and the page of its report. */
  alarm: 'alarm',
  alarmReport: 'alarm_report',
  /** JSON of the TrainingResult: what makes a finished run readable after Temporal has forgotten it. */
  result: 'pipeline_result',
} as const;

/** Tags of a model version. */
export const VERSION_TAG = {
  testAccuracy: 'test_accuracy',
  promoted: 'promoted',
  promotionReason: 'promotion_reason',
  /** When it went into production, ISO 8601: the time of the ledger's entry. */
  promotedAt: 'promoted_at',
  dataHash: 'data_hash',
  pipelineKey: 'pipeline_key',
  gitCommit: 'git_commit',
  gatePassed: 'gate_passed',
  /** SHA-256 of the run's seen-rows.bin: the names of the rows that the version was trained on. */
  seenRows: 'seen_rows_sha256',
  /** The comparison that decided: with which version, on how many rows, candidate minus champion in the metric, and its interval. */
  comparedWith: 'compared_with',
  comparedRows: 'compared_rows',
  comparedMetric: 'compared_metric',
  difference: 'difference',
  /** `-0.001 … 0.024 (95 %)` */
  differenceInterval: 'difference_interval',
  /** Verdict of the last `retrain reproduce --run`, when it was given, and at which commit. */
  reproduced: 'reproduced',
  reproducedAt: 'reproduced_at',
  reproducedCommit: 'reproduced_commit',
  /** Number of the last ledger entry about this version. */
  ledgerEntry: 'ledger_entry',
  /** The version that took its place in production; empty while it is there. */
  replacedBy: 'replaced_by',
  /** Why it was rolled back, and by whom; empty after it was promoted again. */
  rolledBack: 'rolled_back',
  /** What is wrong with it, a line; empty: nothing is known to be. */
  alarm: 'alarm',
  /** JSON: whether its training data drifted from those of the version that it was held against, and whether it is better for it. */
  trainingGain: 'training_gain',
  /** JSON: `AlarmState` of the model, on the version that was checked last. */
  alarmState: 'alarm_state',
} as const;

/** `train-<model>-<first 16 hex of the key>`: the canonical workflow id of a pipeline key. */
export function canonicalWorkflowId(model: string, pipelineKey: string): string {
  return `train-${model}-${pipelineKey.slice(0, 16)}`;
}

/** `steward-<model>`: the one workflow that moves a model's aliases. */
export function stewardWorkflowId(model: string): string {
  return `steward-${model}`;
}

/** `alarms-<model>`: the one workflow that knows which alarms of a model are open. */
export function alarmDeskWorkflowId(model: string): string {
  return `alarms-${model}`;
}

/** `collect-<source>-<day>-<hash of the project>`: the one workflow that fetches a day of a source. */
export function collectWorkflowId(projectHash: string, source: string, day: string): string {
  return `collect-${source}-${day}-${projectHash.slice(0, 12)}`;
}

/** The report among the artifacts of an MLflow run. */
export const REPORT = 'report.html';

/** What a dirty tree had beyond its commit, among the artifacts of an MLflow run; `git apply` takes it. */
export const PATCH = 'git.patch';

/** The report of a check of drift, and its figures, among the artifacts of its MLflow run. */
export const DRIFT_REPORT = 'drift.html';
export const DRIFT_DATA = 'drift.json';
