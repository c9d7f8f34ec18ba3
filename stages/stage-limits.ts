import { totalmem } from 'node:os';

/** What the stages of a process may take. */
export interface StageLimits {
  /** Of each stage in process, in bytes. */
  memoryBytes: number;
  /** Of a stage that runs SQL of params.yaml, in ms. */
  sqlTimeMs: number;
}

const GIB = 1 << 30;

export const DEFAULT_SQL_TIME_MS = 30 * 60_000;

/** Half of the machine's memory, or of the control group's, shared by the stages that run at once; 1 GiB at least. */
export function defaultMemoryBytes(stagesAtOnce: number): number {
  const constrained = process.constrainedMemory() ?? 0;
  const total = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.max(GIB, Math.floor(total / 2 / stagesAtOnce));
}
