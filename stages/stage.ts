import { type Metrics, type StageProgress } from '../contracts/stage';
import { type NativeSection } from '../ml/scoring/native-section';

/** What a stage's code sees of the world: its inputs, its params and where to leave its outputs. */
export interface StageContext {
  /** Path of an input by name; it is read-only. Throws STAGE_FAILED when it is not there. */
  input(name: string): string;
  /** Path of an optional input, or undefined. */
  optionalInput(name: string): string | undefined;
  /** Path to write an output to, by name. */
  output(name: string): string;
  /** The content of params.json. */
  params: unknown;
  report(progress: StageProgress): void;
  native: NativeSection;
  /** Whether it runs in a process of its own, whose memory is bounded: only there models of others are scored. */
  isolated: boolean;
  /** What it may take of memory, in bytes; absent: whatever there is. Decides whether it works, never what comes out. */
  memoryBytes?: number;
}

/**
 * A stage: a function of its inputs and params, CPU-bound, without network or clock. Leaves its outputs in
 * place and returns its metrics.
 */
export type Stage = (context: StageContext) => Promise<Metrics>;
