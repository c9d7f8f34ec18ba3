import { RetrainError } from '../../contracts/errors';
import { type ReadingRules } from '../../ml/dataset/csv-format';

/**
 * How a table is read: as somebody says, and where they say nothing as those of the model's training were.
 *
 * @throws RetrainError USAGE when both together tell no cells apart
 */
export function readingRules(given: ReadingRules, trained: ReadingRules): ReadingRules {
  const csv = { ...trained.csv, ...given.csv };
  if (csv.decimal === ',' && (csv.separator ?? ',') === ',') {
    if (given.csv?.decimal === ',')
      throw new RetrainError('USAGE', '--decimal , needs another --separator beside it, such as ";"');
    throw new RetrainError(
      'USAGE',
      '--separator ,: the model was trained on tables whose numbers have a comma; say beside it how those of this one are written, as --decimal .',
    );
  }
  return { csv, missing: given.missing ?? trained.missing };
}
