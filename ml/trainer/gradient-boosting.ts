import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { TrainParams } from '../../contracts/train-params';
import { boostForest } from '../forest/boosting/boost-forest';
import { BOOST_THREAD_ENTRY } from '../forest/boosting/helpers';
import type { BoostSettings } from '../forest/boosting/settings';
import type { Forest } from '../forest/forest';
import { cancelled } from './cancellation';
import { requireTrainable } from './table-limits';
import { targetsOf } from './training-targets';
import type { Trainer } from './trainer';

/** Rows × rounds from which threads are worth the 50 ms that they take to start. */
const WORTH_THREADS = 1_000_000;

/** Gradient boosting on histograms, with the defaults of LightGBM and of scikit-learn's HistGradientBoosting. */
export const gradientBoosting: Trainer<Forest> = {
  async train(table, params, { signal, onProgress, threads } = {}) {
    requireTrainable(table);
    const settings = boostSettings(params);
    let done = 0;
    try {
      const model = await boostForest(table, targetsOf(table), settings, {
        threads: threads ?? threadsFor(table.rows, settings.rounds),
        onRound: (round, total) => {
          done = round;
          onProgress?.(round, total);
        },
        ...(signal === undefined ? {} : { signal }),
      });
      return { model };
    } catch (error) {
      if (signal?.aborted === true) throw cancelled(done, settings.rounds, 'rounds');
      throw error;
    }
  },
};

function boostSettings(params: TrainParams): BoostSettings {
  return {
    rounds: params.n_estimators,
    seed: params.seed,
    learningRate: params.learning_rate ?? 0.1,
    maxLeaves: params.max_leaf_nodes ?? 31,
    maxDepth: params.max_depth ?? 0x7fff_ffff,
    minSamplesLeaf: params.min_samples_leaf ?? 20,
    l2: params.l2_regularization ?? 0,
    ...(params.early_stopping === true
      ? {
          earlyStopping: {
            fraction: params.validation_fraction ?? 0.1,
            patience: params.n_iter_no_change ?? 10,
          },
        }
      : {}),
  };
}

/** 1 where the thread's file is not there: in sources that were not compiled. */
function threadsFor(rows: number, rounds: number): number {
  return rows * rounds < WORTH_THREADS || !existsSync(BOOST_THREAD_ENTRY) ? 1 : availableParallelism();
}
