import type { Targets } from '../forest/histogram/targets';
import type { TrainingTable } from './trainer';

/** What a table has to predict. */
export function targetsOf(table: TrainingTable): Targets {
  return 'labels' in table
    ? { task: 'classification', labels: table.labels, classes: table.classes }
    : { task: 'regression', values: table.targets };
}
