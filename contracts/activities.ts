import { type NoticeKind, type Notice } from './notice';
import { type ProjectIdentity } from './project-identity';
import { type ComparisonFigures, type RunSpec, type TrainingResult } from './run';
import { type Artifact, type Metrics } from './stage';
import { type DecideInput } from './steward';

// What the workflow asks of its activities: one object in, one out, small ones. Implemented in activities/.

export interface ResolveInput {
  params?: string;
  overrides?: Record<string, unknown>;
  /** Set when a fresh run is wanted: names it across retries. */
  forceId?: string;
  /** Whose run it is to be; absent: the worker's. */
  project?: ProjectIdentity;
}

export interface FollowInput {
  spec: RunSpec;
  canonicalId: string;
}

export interface OpenRunInput {
  spec: RunSpec;
  workflowId: string;
  workflowRunId: string;
}

export interface OpenRunOutput {
  mlflowRunId: string;
  mlflowExperimentId: string;
  /** Root of the run's files, which never changes; absent: opened by an older worker. */
  mlflowArtifactUri?: string | undefined;
  /** Set when this key has been trained before: nothing is left to do. */
  finished: TrainingResult | null;
}

/** Artifacts by the name that stages know them by. */
export type Artifacts = Readonly<Record<string, Artifact>>;

/** What every compute stage is told. */
export interface ComputeInput {
  spec: RunSpec;
  /** All that the run has so far; a stage takes what the table of stages says. */
  artifacts: Artifacts;
  /** Where a container's log is kept; absent: the run is being opened meanwhile, so nobody has looked the spec through yet. */
  mlflowRunId?: string;
}

/** What every compute stage tells. */
export interface ComputeOutput {
  /** What it made, by name. */
  artifacts: Artifacts;
  /** What it left in out/metrics.json. */
  metrics: Metrics;
  /** Nothing ran: the result of the same inputs, params and code was known. */
  reused: boolean;
}

export interface PreprocessOutput extends ComputeOutput {
  /** What speaks against trusting the result: at most five sentences. */
  warnings?: string[];
  rows: { train: number; test: number };
}

/** The production version, and what `evaluate` is given of it, at one moment. */
export interface Champion {
  version: string;
  /**
   * Its model; `ModelDescription`, unless the model does not say which columns it takes; the names of its training rows, if it
   * has them. Nothing when it cannot be scored.
   */
  artifacts: Artifacts;
  /** Why it cannot be scored: its files are gone, or another program registered it. */
  error?: string;
}

export interface EvaluateOutput extends ComputeOutput {
  candidateMetrics: Metrics;
  /** The champion, on the rows that both are compared on; null without a champion or when it cannot be scored. */
  championMetrics: Metrics | null;
  championError: string | null;
  /** Why the candidate is no better than a model that knows nothing of a row; null when it is. */
  noBetter?: string | null;
  /** Held-out rows. */
  rows: number;
}

export interface RegisterInput {
  spec: RunSpec;
  mlflowRunId: string;
  mlflowExperimentId: string;
  mlflowArtifactUri?: string | undefined;
  workflowId: string;
  workflowRunId: string;
  /** ISO 8601. */
  startedAt: string;
  /** Of all compute stages. */
  artifacts: Artifacts;
  evaluated: EvaluateOutput;
}

export interface RegisterOutput {
  modelVersion: string;
  /** model_metadata.json */
  metadata: Artifact;
}

export interface PromoteInput {
  spec: RunSpec;
  modelVersion: string;
  /** Version that `evaluated.championMetrics` belong to; null: there was no champion. */
  championVersion: string | null;
  evaluated: EvaluateOutput;
}

/** `stale`: production moved since the evaluation, so nothing was done; score against the new champion first. */
export type PromoteOutput =
  | { stale: true; championVersion: string | null }
  | {
      stale: false;
      outcome: TrainingResult['outcome'];
      alias: string | null;
      reason: string;
      gate: TrainingResult['gate'];
      /** Null: there was nothing to compare with, or on. */
      comparison: ComparisonFigures | null;
      /** SHA-256 of the evidence pack, of a candidate that waits for approval. */
      evidence?: string;
    };

/** What the workspace and the report show of a finished run. */
export interface PublishInput {
  spec: RunSpec;
  /** What came of each compute stage, by its name. */
  stages: Readonly<Record<string, ComputeOutput>>;
  /** model_metadata.json */
  metadata: Artifact;
}

export interface CloseRunInput {
  status: 'FINISHED' | 'FAILED' | 'KILLED';
  mlflowRunId: string;
  mlflowArtifactUri?: string | undefined;
  reason?: string;
  /** For a finished run: what it came to, and what is shown of it. */
  finished?: { result: TrainingResult; publish: PublishInput };
}

export interface CloseRunOutput {
  /** Channels, by name, that notices go to. */
  channels: string[];
  /** Why the workspace does not show this run; null: it does, or was not to. */
  unpublished: string | null;
}

export interface SendNoticeInput {
  channel: string;
  notice: Notice;
}

export interface PipelineActivities {
  resolveRun(input: ResolveInput): Promise<RunSpec>;
  followCanonicalRun(input: FollowInput): Promise<TrainingResult>;
  openRun(input: OpenRunInput): Promise<OpenRunOutput>;
  fetchChampion(input: { model: string }): Promise<Champion | null>;
  preprocess(input: ComputeInput): Promise<PreprocessOutput>;
  train(input: ComputeInput): Promise<ComputeOutput>;
  evaluate(input: ComputeInput): Promise<EvaluateOutput>;
  register(input: RegisterInput): Promise<RegisterOutput>;
  /** Has the model's steward decide on a candidate. */
  askSteward(input: DecideInput): Promise<PromoteOutput>;
  closeRun(input: CloseRunInput): Promise<CloseRunOutput>;
  /** Workers that poll a queue for activities. */
  countPollers(input: { queue: string }): Promise<{ pollers: number }>;
}

export interface NoticeActivities {
  /** Names of the channels that the worker's environment configures. */
  listChannels(): Promise<string[]>;
  sendNotice(input: SendNoticeInput): Promise<void>;
}

/** Input of the workflow `deliverNotice`. */
export interface DeliverNoticeInput {
  notice: Notice;
  /** Absent: all that the worker knows. */
  channels?: string[];
}

export type { NoticeKind };
