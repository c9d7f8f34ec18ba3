import type { TrainParams } from '../../contracts/params';
import type { LabelledMatrix, ValuedMatrix } from '../dataset/matrix';
import type { Model } from '../model/model';

/** Rows to learn from: with classes, or with numbers. */
export type TrainingTable = (LabelledMatrix | ValuedMatrix) & {
  /** `[d]` names of the features, for a trainer whose params name some. */
  names?: readonly string[];
};

export interface Trained<M extends Model = Model> {
  model: M;
  /** `[d]` share of each feature in the impurity that the trees' splits took away; sums to 1. */
  importances?: Float64Array;
  /** Accuracy or R² on rows that were not drawn, if the params ask for it. */
  oobScore?: number;
}

/** How a trainer talks to the one who called it, and where it may work. Nothing of it changes the model. */
export interface TrainHooks {
  /** Called after each unit of work (a tree). Cheap enough to post a message from. */
  onProgress?: (done: number, total: number) => void;
  /** Stops the training between two units of work, or within 1 s: `train` rejects with RUN_CANCELLED. */
  signal?: AbortSignal;
  /** Threads to train in; 0: the calling one. Default: as many as there are cores, if the work is worth it. */
  threads?: number;
}

/**
 * A way to train a model. The same table, params and seed give the same model, bit for bit, on every machine.
 * CPU-bound: call it in a worker thread.
 */
export interface Trainer<M extends Model = Model> {
  /**
   * @param table `[n, d]`
   * @throws RetrainError DATA_INVALID when the table is not what this trainer takes; CONFIG_INVALID for params
   * that do not fit the table; RUN_CANCELLED when the signal was aborted
   */
  train(table: TrainingTable, params: TrainParams, hooks?: TrainHooks): Promise<Trained<M>>;
}
