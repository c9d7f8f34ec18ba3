import { RetrainError } from '../../contracts/errors';
import { averagingForest, type Forest } from '../forest/forest';
import { TreeWriter } from '../forest/tree-writer';
import { fitLogistic } from '../linear/fit-logistic';
import type { LinearModel } from '../linear/linear-model';
import { cancelled } from './cancellation';
import { requireTrainable } from './table-limits';
import type { Trainer, TrainingTable } from './trainer';

/** Predicts every row with the class shares of the training rows, so that the most frequent class is its answer. */
export const majority: Trainer<Forest> = {
  async train(table) {
    requireTrainable(table);
    if (!('labels' in table)) throw wrongTask('majority', 'classification');
    const counts = new Float64Array(table.classes);
    for (const label of table.labels) counts[label]! += 1;
    return {
      model: constant(
        table,
        counts.map((count) => count / table.rows),
      ),
    };
  },
};

/** Predicts every row with the mean of the training rows. */
export const mean: Trainer<Forest> = {
  async train(table) {
    requireTrainable(table);
    if ('labels' in table) throw wrongTask('mean', 'regression');
    return { model: constant(table, [table.targets.reduce((a, b) => a + b, 0) / table.rows]) };
  },
};

/** Logistic regression on standardised features: what a straight line can tell. */
export const logisticRegression: Trainer<LinearModel> = {
  async train(table, params, { signal, onProgress } = {}) {
    requireTrainable(table);
    if (!('labels' in table)) throw wrongTask('logistic-regression', 'classification');
    const settings = { c: params.c ?? 1, maxIterations: params.max_iter ?? 100 };
    let done = 0;
    try {
      const model = await fitLogistic(table, settings, {
        onIteration: (iteration, total) => {
          done = iteration;
          onProgress?.(iteration, total);
        },
        ...(signal === undefined ? {} : { signal }),
      });
      return { model };
    } catch (error) {
      if (signal?.aborted === true) throw cancelled(done, settings.maxIterations, 'iterations');
      throw error;
    }
  },
};

/** A forest of one leaf. */
function constant(table: TrainingTable, values: ArrayLike<number>): Forest {
  const classes = 'labels' in table ? table.classes : 0;
  const writer = new TreeWriter(values.length);
  writer.leaf(0, values);
  const task = 'labels' in table ? 'classification' : 'regression';
  return averagingForest({ task, features: table.features, classes }, [writer.finish()]);
}

function wrongTask(algorithm: string, task: string): RetrainError {
  return new RetrainError(
    'CONFIG_INVALID',
    `params.yaml: train.algorithm ${algorithm} is for task ${task}, got the other one`,
  );
}
