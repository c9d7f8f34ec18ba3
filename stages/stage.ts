import { type Metrics, type StageProgress } from '../contracts/stage';

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
}

/**
 * A stage: a function of its inputs and params, CPU-bound, without network or clock. Leaves its outputs in
 * place and returns its metrics.
 */
export type Stage = (context: StageContext) => Promise<Metrics>;

/**
 * Brackets calls into native code. Ending a thread while it is in there takes the whole process down
 * (onnxruntime's binding throws in a dying environment), so an abort waits for the end of the section.
 */
export interface NativeSection {
  /** @param call Its signal is aborted when the stage is: what can be interrupted should end then. */
  run<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** For stages that run in a process of their own: there, killing is safe at any time. */
export const UNGUARDED: NativeSection = { run: (call) => call(new AbortController().signal) };
