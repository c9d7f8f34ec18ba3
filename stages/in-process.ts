import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { RetrainError } from '../contracts/errors';
import { type StageProgress } from '../contracts/stage';
import { fromStageError } from '../contracts/stage-error';
import { closeGate, newGate } from './native-gate';
import { type ThreadResult, type ThreadTask } from './thread-entry';

export interface InProcessOptions {
  /** Compiled stages/thread-entry.js, absolute. */
  threadEntry: string;
  /** Stages that may run at once; further ones wait. */
  threads: number;
}

export interface RunOptions {
  signal?: AbortSignal;
  onProgress?: (progress: StageProgress) => void;
}

/**
 * Runs stages in a pool of warm worker threads, so that heartbeats go on while they compute. A thread that is
 * cancelled is ended (its code may never yield) and another takes its place.
 */
export class InProcessExecutor {
  readonly #pool: Piscina<ThreadTask, ThreadResult>;
  readonly #threads: number;
  /** Aborted threads that are still in native code. */
  readonly #ending = new Set<Promise<unknown>>();

  constructor({ threadEntry, threads }: InProcessOptions) {
    this.#threads = threads;
    this.#pool = new Piscina({
      filename: threadEntry,
      minThreads: threads,
      maxThreads: threads,
      // Stages are long; a task a thread, and no spinning for the next one.
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
    });
  }

  /** Loads the stages' code into every thread, so that the first run is as fast as the next. */
  async warmUp(): Promise<void> {
    await Promise.all(
      Array.from({ length: this.#threads }, () => this.#pool.run({ warmUp: true, gate: newGate() })),
    );
  }

  /**
   * Runs a stage in its folder (see `runStage`).
   *
   * @returns Compute time of the stage in ms, without the wait for a thread.
   * @throws RetrainError what the stage threw; STAGE_FAILED when its thread died. The signal's reason when
   * aborted, at once, whatever the thread is doing; the thread ends as soon as it is out of native code.
   */
  async run(stage: string, dir: string, options: RunOptions = {}): Promise<{ durationMs: number }> {
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    const gate = newGate();
    const { port1, port2 } = new MessageChannel();
    port1.on('message', (progress: StageProgress) => onProgress?.(progress));
    port1.unref();
    const end = new AbortController();
    const running = this.#pool.run(
      { stage, dir, port: port2, gate },
      { transferList: [port2], signal: end.signal },
    );
    const aborted = abortion(signal, () => {
      const ending = closeGate(gate).then(() => end.abort());
      const ended = Promise.allSettled([ending, running]);
      this.#ending.add(ended);
      void ended.then(() => this.#ending.delete(ended));
    });
    try {
      const { error, durationMs } = await Promise.race([running, aborted.promise]);
      if (error !== null) throw fromStageError(error);
      return { durationMs };
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      if (error instanceof RetrainError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new RetrainError('STAGE_FAILED', `${stage}: its thread died: ${why}`, { cause: error });
    } finally {
      aborted.stop();
      drain(port1, onProgress);
      port1.close();
    }
  }

  /** Ends all threads, each once it is out of native code. */
  async close(): Promise<void> {
    await Promise.all(this.#ending);
    await this.#pool.close({ force: true });
  }
}

/** Hands on what the thread said before its result, which may overtake it: closing a port drops the rest. */
function drain(port: MessagePort, onProgress: RunOptions['onProgress']): void {
  let left = receiveMessageOnPort(port);
  while (left !== undefined) {
    onProgress?.(left.message as StageProgress);
    left = receiveMessageOnPort(port);
  }
}

/** A promise that rejects when the signal is aborted, after calling `onAbort`. */
function abortion(
  signal: AbortSignal | undefined,
  onAbort: () => void,
): { promise: Promise<never>; stop: () => void } {
  let listener: (() => void) | undefined;
  const promise = new Promise<never>((_, reject) => {
    listener = () => {
      onAbort();
      reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    signal?.addEventListener('abort', listener, { once: true });
  });
  promise.catch(() => undefined);
  return { promise, stop: () => listener !== undefined && signal?.removeEventListener('abort', listener) };
}
