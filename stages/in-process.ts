import { dirname, join } from 'node:path';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { RetrainError } from '../contracts/errors';
import { type StageProgress } from '../contracts/stage';
import { fromStageError } from '../contracts/stage-error';
import { runBounded } from './bounded-process';
import { closeGate, newGate } from './native-gate';
import { FOREIGN_MODEL } from './run-in-folder';
import { Slots } from './slots';
import { DEFAULT_SQL_TIME_MS, defaultMemoryBytes, type StageLimits } from './stage-limits';
import { stagePlace } from './stage-place';
import { type ThreadResult, type ThreadTask } from './thread-entry';

export interface InProcessOptions {
  /** Compiled stages/thread-entry.js, absolute. */
  threadEntry: string;
  /** Stages that may run at once; further ones wait. */
  threads: number;
  /** What each of them may take; absent: a share of the machine. */
  limits?: Partial<StageLimits>;
}

export interface RunOptions {
  signal?: AbortSignal;
  onProgress?: (progress: StageProgress) => void;
}

/**
 * Runs stages in a pool of warm worker threads, so that heartbeats go on while they compute. A thread that is
 * cancelled is ended (its code may never yield) and another takes its place. Stages with large data, with SQL of
 * params.yaml, or with a model of others run in bounded processes instead (`stagePlace`), as many at once as there are threads.
 */
export class InProcessExecutor {
  readonly #pool: Piscina<ThreadTask, ThreadResult>;
  readonly #threads: number;
  readonly #entry: string;
  readonly #limits: StageLimits;
  readonly #processes: Slots;
  /** Aborted threads that are still in native code. */
  readonly #ending = new Set<Promise<unknown>>();
  #busy = 0;

  constructor({ threadEntry, threads, limits = {} }: InProcessOptions) {
    this.#threads = threads;
    this.#entry = join(dirname(threadEntry), 'main.js');
    this.#limits = {
      memoryBytes: limits.memoryBytes ?? defaultMemoryBytes(threads),
      sqlTimeMs: limits.sqlTimeMs ?? DEFAULT_SQL_TIME_MS,
    };
    this.#processes = new Slots(threads);
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
    this.#busy++;
    try {
      return await this.#run(stage, dir, options);
    } finally {
      this.#busy--;
    }
  }

  /** Threads, and stages that are at work or wait for one. */
  load(): { threads: number; busy: number } {
    return { threads: this.#threads, busy: this.#busy };
  }

  async #run(stage: string, dir: string, options: RunOptions): Promise<{ durationMs: number }> {
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    const { place, sql } = stagePlace(stage, dir);
    if (place === 'process') return this.runInProcess(stage, dir, sql, options);
    const gate = newGate();
    const { port1, port2 } = new MessageChannel();
    port1.on('message', (progress: StageProgress) => onProgress?.(progress));
    port1.unref();
    const end = new AbortController();
    const running = this.#pool.run(
      { stage, dir, port: port2, gate, memoryBytes: this.#limits.memoryBytes },
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
      // What a model of others takes of memory nobody knows beforehand.
      if (error?.code === FOREIGN_MODEL) return await this.runInProcess(stage, dir, sql, options);
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

  private async runInProcess(
    stage: string,
    dir: string,
    sql: boolean,
    { signal, onProgress }: RunOptions,
  ): Promise<{ durationMs: number }> {
    const { memoryBytes, sqlTimeMs } = this.#limits;
    const message = `${stage}: preprocess.sql or filter took longer than the ${sqlTimeMs / 1000} s that it may; let it do less, or raise RETRAIN_SQL_TIMEOUT on the worker`;
    const timeLimit = sql ? { ms: sqlTimeMs, message } : undefined;
    const release = await this.#processes.take(signal);
    try {
      const run = { entry: this.#entry, stage, dir, memoryBytes, timeLimit, signal, onProgress };
      return { durationMs: await runBounded(run) };
    } finally {
      release();
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
