import { RetrainError } from '../../../contracts/errors';
import { FLOAT32_MAX, shownCell } from '../cell';
import { type PlannedColumn } from '../column-plan';
import { type Column, type RawTable } from '../raw-table';
import { missingNumber, NotNumbersError, type ReadResult } from '../read-csv-table';

/**
 * Holds what DuckDB read against the plan.
 *
 * @throws RetrainError DATA_INVALID naming row and column: no number where one belongs, a missing target, a missing
 * number where none is allowed.
 */
export function requireSound({ table, plan }: ReadResult, allowMissing: boolean): void {
  for (const [f, planned] of plan.columns.entries()) {
    const column = table.columns[f];
    if (column === undefined || isPlainlySound(column, planned, allowMissing)) continue;
    const cells: ArrayLike<number> = column.kind === 'number' ? column.values : column.codes;
    for (let row = 0; row < table.rows; row++) {
      requireSoundCell(cells[row] ?? 0, table, planned, row, allowMissing);
    }
  }
}

/** A quick look at the whole column; what does not pass it is looked at cell by cell. */
function isPlainlySound(column: Column, { role }: PlannedColumn, allowMissing: boolean): boolean {
  const mayMiss = role === 'extra' || (role === 'feature' && allowMissing);
  if (column.kind === 'text') return mayMiss || !column.codes.includes(-1);
  const { values } = column;
  let missing = 0;
  let beyond = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (value !== value) missing++;
    else if (value > FLOAT32_MAX || value < -FLOAT32_MAX) beyond++;
  }
  return beyond === 0 && (mayMiss || missing === 0);
}

function requireSoundCell(
  cell: number,
  table: RawTable,
  planned: PlannedColumn,
  row: number,
  allowMissing: boolean,
): void {
  const { kind, role, name } = planned;
  const where = `${table.file}: row ${table.rowNumbers?.[row] ?? row + 1}, column "${name}"`;
  if (kind === 'number' && Math.abs(cell) > FLOAT32_MAX) {
    if (Number.isFinite(cell)) {
      throw new RetrainError(
        'DATA_INVALID',
        `${where}: ${shownCell(String(cell))} is beyond the range of float32 (±3.4e38)`,
      );
    }
    throw new NotNumbersError(
      `${where}: the value is text or infinite, expected a number; encode the column (preprocess.encode) or drop it`,
    );
  }
  if (!(kind === 'number' ? Number.isNaN(cell) : cell < 0)) return;
  const problem =
    role === 'target'
      ? 'the target is missing; every row needs one, so leave it out (preprocess.filter)'
      : role === 'feature' && !allowMissing
        ? missingNumber('null')
        : undefined;
  if (problem !== undefined) throw new RetrainError('DATA_INVALID', `${where}: ${problem}`);
}
