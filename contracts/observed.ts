/** How a training ended. `known`: this key was trained before; `followed`: another workflow of the same key did the work. */
export const RUN_OUTCOMES = [
  'promoted',
  'staged',
  'gate_failed',
  'awaiting_approval',
  'known',
  'followed',
  'cancelled',
  'failed',
] as const;
export type RunOutcome = (typeof RUN_OUTCOMES)[number];

/** What a workflow tells of its own end. */
export interface WorkflowEnd {
  /** Empty: it has none, or did not come so far. */
  model: string;
  /** Of a training; of any other workflow: `completed`, `cancelled` or `failed`. */
  outcome: RunOutcome | 'completed';
  durationMs: number;
}

/**
 * What workflows tell the worker that they run on, for its metrics: when it happens, and not when their history is replayed. A worker that
 * dies at that moment may have it told twice, or not at all.
 */
export type ObservedSinks = {
  observed: {
    workflowEnded(end: WorkflowEnd): void;
    noticeGivenUp(notice: { channel: string }): void;
  };
};
