/**
 * Brackets calls into native code. Ending a thread while it is in there takes the whole process down
 * (onnxruntime's binding throws in a dying environment), so an abort waits for the end of the section.
 */
export interface NativeSection {
  /** @param call Its signal is aborted when the stage is: what can be interrupted should end then. */
  run<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** For a process of its own, or one that ends no threads: there, killing is safe at any time. */
export const UNGUARDED: NativeSection = { run: (call) => call(new AbortController().signal) };
