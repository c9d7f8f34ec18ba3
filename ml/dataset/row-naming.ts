import { RetrainError } from '../../contracts/errors';
import { type PreprocessParams } from '../../contracts/params';
import { type RowNaming } from '../../contracts/seen-rows';
import { type RawTable } from './raw-table';
import { nameRows, type RowNames } from './row-names';

/**
 * What rows are told apart by: the group for a split by groups, else the columns of `preprocess.row_id`, else all that
 * the model learns from.
 */
export function rowNaming(
  { split, group_by, row_id }: Pick<PreprocessParams, 'split' | 'group_by' | 'row_id'>,
  features: readonly string[],
  target: string,
): RowNaming {
  if (split === 'grouped' && group_by !== undefined) return { by: 'group', columns: [group_by] };
  if (row_id !== undefined) return { by: 'row_id', columns: [...new Set(row_id)] };
  return { by: 'content', columns: [...features, target] };
}

/**
 * Names the rows of a table.
 *
 * @throws RetrainError CONFIG_INVALID when a column has been renamed
 */
export function namedRows(table: RawTable, { by, columns }: RowNaming): RowNames {
  const chosen = columns.map((name) => {
    const column = table.columns.find((one) => one.name === name);
    if (column !== undefined) return column;
    const key = by === 'group' ? 'group_by' : 'row_id';
    throw new RetrainError(
      'CONFIG_INVALID',
      `preprocess.${key}: the table has no column "${name}" after preprocess.rename; write its new name`,
    );
  });
  return nameRows(chosen, table.rows);
}
