import { RetrainError } from '../../contracts/errors';
import type { Algorithm, Engine } from '../../contracts/train-params';
import { logisticRegression, majority, mean } from './baselines';
import { gradientBoosting } from './gradient-boosting';
import { histogramForest } from './histogram-forest';
import { movingAverage } from './moving-average';
import { mlRandomForest } from './ml-random-forest';
import type { Trainer } from './trainer';

const CATALOG: Record<Engine, Partial<Record<Algorithm, Trainer>>> = {
  'ml-random-forest': { 'random-forest': mlRandomForest },
  histogram: {
    'random-forest': histogramForest,
    'extra-trees': histogramForest,
    'gradient-boosting': gradientBoosting,
    'logistic-regression': logisticRegression,
    majority,
    mean,
    'moving-average': movingAverage,
  },
};

/**
 * The trainer of an algorithm by an engine, as `train.algorithm` and `train.engine` name them.
 * @throws RetrainError CONFIG_INVALID when the engine does not train the algorithm
 */
export function trainerFor(algorithm: Algorithm, engine: Engine): Trainer {
  const trainer = CATALOG[engine][algorithm];
  if (trainer !== undefined) return trainer;
  throw new RetrainError('CONFIG_INVALID', `train.engine: ${engine} does not train ${algorithm}`);
}
