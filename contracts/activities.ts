import { type NoticeKind, type Notice } from './notice';
import { type RunSpec, type TrainingResult } from './run';
import { type Artifact, type Metrics } from './stage';

// What the workflow asks of its activities: one object in, one out, small ones. Implemented in activities/.

export interface ResolveInput {
  params?: string;
  overrides?: Record<string, unknown>;
  /** Set when a fresh run is wanted: names it across retries. */
  forceId?: string;
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

export interface OpenedRun {
  mlflowRunId: string;
  mlflowExperimentId: string;
  /** Set when this key has been trained before: nothing is left to do. */
  finished: TrainingResult | null;
}

/** What every compute stage is told beside its inputs. */
interface StageInput {
  spec: RunSpec;
  /** Where a container's log is kept. */
  mlflowRunId?: string;
}

/** What every compute stage tells beside its outputs. */
interface StageOutput {
  /** Nothing ran: the result of the same inputs, params and code was known. */
  reused: boolean;
}

export type PreprocessInput = StageInput;

export interface PreprocessOutput extends StageOutput {
  train: Artifact;
  test: Artifact;
  schema: Artifact;
  /** `TableProfile`; null from a stage that makes none. */
  profile: Artifact | null;
  rows: { train: number; test: number };
  /** What the stage counted. */
  metrics: Metrics;
}

export interface TrainInput extends StageInput {
  train: Artifact;
  schema: Artifact;
}

export interface TrainOutput extends StageOutput {
  model: Artifact;
  /** `TrainingNotes`; null from a stage that takes none. */
  training: Artifact | null;
  /** What the trainer measured of itself. */
  metrics: Metrics;
}

/** The production version and its model, at one moment. */
export interface Champion {
  version: string;
  model: Artifact;
  /** `ModelDescription`; null for a model that does not say which columns it takes. */
  description: Artifact | null;
}

export interface EvaluateInput extends StageInput {
  test: Artifact;
  schema: Artifact;
  model: Artifact;
  champion: Champion | null;
}

export interface EvaluateOutput extends StageOutput {
  evaluation: Artifact;
  metrics: Metrics;
  /** The champion on the same rows; null without a champion or when it cannot be scored. */
  championMetrics: Metrics | null;
  championError: string | null;
  /** Held-out rows. */
  rows: number;
  /** What the stage itself left in out/metrics.json. */
  stageMetrics: Metrics;
}

export interface RegisterInput {
  spec: RunSpec;
  mlflowRunId: string;
  mlflowExperimentId: string;
  workflowId: string;
  workflowRunId: string;
  /** ISO 8601. */
  startedAt: string;
  schema: Artifact;
  model: Artifact;
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
    };

/** What the report tells beside the result. */
export interface ReportArtifacts {
  evaluation: Artifact;
  profile: Artifact | null;
  training: Artifact | null;
}

/** What the workspace shows of a finished run. */
export interface PublishInput {
  spec: RunSpec;
  table: PreprocessOutput;
  trained: TrainOutput;
  evaluated: EvaluateOutput;
  metadata: Artifact;
}

export interface CloseRunInput {
  status: 'FINISHED' | 'FAILED' | 'KILLED';
  mlflowRunId: string;
  reason?: string;
  result?: TrainingResult;
  /** For a finished run. */
  report?: ReportArtifacts;
  publish?: PublishInput;
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
  openRun(input: OpenRunInput): Promise<OpenedRun>;
  fetchChampion(input: { model: string }): Promise<Champion | null>;
  preprocess(input: PreprocessInput): Promise<PreprocessOutput>;
  train(input: TrainInput): Promise<TrainOutput>;
  evaluate(input: EvaluateInput): Promise<EvaluateOutput>;
  register(input: RegisterInput): Promise<RegisterOutput>;
  promote(input: PromoteInput): Promise<PromoteOutput>;
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
