import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { RetrainError } from '../../contracts/errors';
import type { Forest } from '../forest/forest';
import { growForest, THREAD_ENTRY } from '../forest/histogram/grow-forest';
import { outOfBagScore } from '../forest/histogram/out-of-bag';
import { cancelled } from './cancellation';
import { forestSettings } from './forest-settings';
import { requireTrainable } from './table-limits';
import type { Trainer } from './trainer';
import { targetsOf } from './training-targets';

/** Rows × trees from which threads are worth the 50 ms that they take to start. */
const WORTH_THREADS = 500_000;

/** Random forests and extra-trees on histograms: retrain's own engine, for any size. */
export const histogramForest: Trainer<Forest> = {
  async train(table, params, hooks = {}) {
    requireTrainable(table);
    const settings = forestSettings(table, params);
    if (params.oob_score === true && !settings.replace && settings.draws >= table.rows) {
      throw new RetrainError(
        'CONFIG_INVALID',
        'params.yaml: train.oob_score needs rows that are left out: set bootstrap: true or max_samples below 1',
      );
    }
    const targets = targetsOf(table);
    const { signal } = hooks;
    let done = 0;
    try {
      const { forest, importances } = await growForest(table, targets, settings, {
        threads: hooks.threads ?? threadsFor(table.rows, settings.trees),
        onTree: (grown, total) => {
          done = grown;
          hooks.onProgress?.(grown, total);
        },
        ...(signal === undefined ? {} : { signal }),
      });
      if (params.oob_score !== true) return { model: forest, importances };
      const oobScore = await outOfBagScore(forest, table, targets, settings, signal);
      return { model: forest, importances, oobScore };
    } catch (error) {
      if (signal?.aborted === true) throw cancelled(done, settings.trees);
      throw error;
    }
  },
};

/** 0 where the thread's file is not there: in sources that were not compiled. */
function threadsFor(rows: number, trees: number): number {
  if (rows * trees < WORTH_THREADS || !existsSync(THREAD_ENTRY)) return 0;
  return Math.min(availableParallelism(), trees);
}
