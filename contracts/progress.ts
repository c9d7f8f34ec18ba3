import type { StageName } from './names';

/** Life of one stage within a run. */
export type StageState = 'waiting' | 'running' | 'done' | 'failed' | 'skipped';

export interface StageView {
  stage: StageName;
  state: StageState;
  /** Epoch ms, by the workflow's clock. */
  startedAt?: number;
  endedAt?: number;
  /** A short note: `120 rows`, `accuracy 0.967`. */
  note?: string;
}

export type PipelineState =
  | 'resolving'
  | 'handed_over'
  | 'running'
  | 'promoted'
  | 'staged'
  | 'gate_failed'
  | 'awaiting_approval'
  | 'failed'
  | 'cancelled';

/** Answer of the query `progress`. */
export interface PipelineProgress {
  state: PipelineState;
  model?: string;
  pipelineKey?: string;
  mlflowRunId?: string;
  mlflowExperimentId?: string;
  /** Set when this execution only waits for the canonical one. */
  handedOverTo?: string;
  stages: StageView[];
}
