import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { type FeatureMatrix } from '../../ml/dataset/matrix';
import { type Forest, type Tree } from '../../ml/forest/forest';

/** What a thread is asked: all of it on shared memory. */
export interface Block {
  id: number;
  table: FeatureMatrix;
  /** `[n, K]`, filled in by the thread. */
  predictions: Float64Array;
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
    const workerData = { forest: shared(forest) };
    this.workers = Array.from({ length: threads }, () => new Worker(ENTRY, { workerData }));
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
   * @param predictions `[n, K]` zeros on shared memory, filled in
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

/** The forest with its trees on shared memory: one copy, however many threads there are. */
function shared(forest: Forest): Forest {
  return { ...forest, trees: forest.trees.map(sharedTree) };
}

function sharedTree({ feature, threshold, child, missingLeft, values, output }: Tree): Tree {
  return {
    feature: copied(feature, Int16Array),
    threshold: copied(threshold, Float32Array),
    child: copied(child, Int32Array),
    missingLeft: copied(missingLeft, Uint8Array),
    values: copied(values, Float32Array),
    output,
  };
}

type Numbers = Int16Array | Float32Array | Int32Array | Uint8Array;

function copied<T extends Numbers>(array: T, Kind: new (bytes: SharedArrayBuffer) => T): T {
  const copy = new Kind(new SharedArrayBuffer(array.byteLength));
  copy.set(array);
  return copy;
}
