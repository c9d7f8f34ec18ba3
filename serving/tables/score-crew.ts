import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { type FeatureMatrix } from '../../ml/dataset/matrix';
import { type Forest } from '../../ml/forest/forest';
import { packForest, type PackedForest } from '../../ml/forest/packed/packed-forest';

/** What a thread is asked: all of it on shared memory. */
export interface Block {
  id: number;
  table: FeatureMatrix;
  /** `[n, K]`, filled in by the thread. */
  predictions: Float64Array;
}

/** What a thread is started with. */
export interface CrewMember {
  packed: PackedForest;
  thread: number;
}

const ENTRY = path.join(__dirname, 'score-thread.js');

/** Threads that stay, each with the same forest in shared memory, and walk blocks of rows through it. */
export class ScoreCrew {
  private readonly workers: Worker[];
  private readonly free: Worker[];
  private readonly queue: Block[] = [];
  private readonly waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  private next = 1;
  private failed: Error | undefined;

  constructor(forest: Forest, threads: number) {
    const packed = packForest(forest, threads);
    this.workers = Array.from({ length: threads }, (_, thread) => {
      const workerData: CrewMember = { packed, thread };
      return new Worker(ENTRY, { workerData });
    });
    this.free = [...this.workers];
    for (const worker of this.workers) {
      worker.on('message', (id: number) => {
        this.waiting.get(id)?.resolve();
        this.waiting.delete(id);
        this.free.push(worker);
        this.hand();
      });
      worker.on('error', (error) => this.fail(error));
    }
  }

  /**
   * @param table values on shared memory
   * @param predictions `[n, K]` on shared memory, filled in
   */
  async predict(table: FeatureMatrix, predictions: Float64Array): Promise<void> {
    if (this.failed !== undefined) throw this.failed;
    const id = this.next++;
    const done = new Promise<void>((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    this.queue.push({ id, table, predictions });
    this.hand();
    await done;
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private hand(): void {
    while (this.free.length > 0 && this.queue.length > 0) this.free.pop()!.postMessage(this.queue.shift()!);
  }

  private fail(error: Error): void {
    this.failed = error;
    for (const waiting of this.waiting.values()) waiting.reject(error);
    this.waiting.clear();
  }
}
