import { RetrainError } from '../../contracts/errors';
import { MAX_CLASSES } from '../dataset/class-labels';
import { MAX_FEATURES } from '../forest/forest';
import type { TrainingTable } from './trainer';

/**
 * Checks that a table can be learned from at all.
 * @throws RetrainError DATA_INVALID with the number seen, the limit, and what to do
 */
export function requireTrainable(table: TrainingTable): void {
  if (table.rows === 0) throw invalid('there are no training rows: expected at least 1');
  if (table.features === 0) throw invalid('there are no feature columns: expected at least 1');
  if (table.features > MAX_FEATURES) {
    throw invalid(
      `there are ${table.features} features: expected at most ${MAX_FEATURES}; drop or encode columns`,
    );
  }
  if ('labels' in table) {
    if (table.classes <= MAX_CLASSES) return;
    throw invalid(
      `the target has ${table.classes} classes: expected at most ${MAX_CLASSES}; if it is a number, set task: regression`,
    );
  }
  const row = table.targets.findIndex((target) => !Number.isFinite(target));
  if (row >= 0)
    throw invalid(`training row ${row + 1} has the target ${table.targets[row]}: expected a finite float32`);
}

function invalid(message: string): RetrainError {
  return new RetrainError('DATA_INVALID', message);
}
