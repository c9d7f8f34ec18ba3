import { RetrainError } from '../../contracts/errors';
import { lagColumns, movingAverage as fit, type MovingAverage } from '../moving-average/moving-average';
import { requireTrainable } from './table-limits';
import type { Trainer } from './trainer';

/** The mean of the last values, `train.lags` and `train.window`: what a forecast has to beat. */
export const movingAverage: Trainer<MovingAverage> = {
  async train(table, params) {
    requireTrainable(table);
    if ('labels' in table) {
      throw new RetrainError(
        'CONFIG_INVALID',
        'params.yaml: train.algorithm moving-average is for task regression, got the other one',
      );
    }
    const { lags = [], window } = params;
    const columns = lagColumns({ lags, window }, table.names ?? [], 'train');
    return { model: fit(columns, table.features, table.targets) };
  },
};
