import type { TrainParams } from '../../contracts/params';
import type { LabelledMatrix } from '../dataset/matrix';
import type { Forest } from '../forest/forest';

/** What a trainer makes, and what `encodeOnnx` and `predict…` take. */
export type Model = Forest;

export interface Trained {
  model: Model;
}

/** How a trainer talks to the one who called it. */
export interface TrainHooks {
  /** Called after each unit of work (a tree). Cheap enough to post a message from. */
  onProgress?: (done: number, total: number) => void;
  /** Stops the training between two units of work: `train` rejects with RUN_CANCELLED. */
  signal?: AbortSignal;
}

/**
 * A way to train a model. The same table, params and seed give the same model, bit for bit, on every machine.
 * CPU-bound: call it in a worker thread.
 */
export interface Trainer {
  /**
   * @param table `[n, d]` with class numbers
   * @throws RetrainError DATA_INVALID when the table is not what this trainer takes; CONFIG_INVALID for params
   * that it does not know; RUN_CANCELLED when the signal was aborted
   */
  train(table: LabelledMatrix, params: TrainParams, hooks?: TrainHooks): Promise<Trained>;
}
