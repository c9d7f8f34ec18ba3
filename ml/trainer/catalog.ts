import type { TrainParams } from '../../contracts/params';
import { mlRandomForest } from './ml-random-forest';
import type { Trainer } from './trainer';

const CATALOG: Record<TrainParams['algorithm'], Record<TrainParams['engine'], Trainer>> = {
  'random-forest': { 'ml-random-forest': mlRandomForest },
};

/** The trainer of an algorithm by an engine, as `train.algorithm` and `train.engine` name them. */
export function trainerFor(algorithm: TrainParams['algorithm'], engine: TrainParams['engine']): Trainer {
  return CATALOG[algorithm][engine];
}
