import { RetrainError } from '../../contracts/errors';
import { type Column } from '../../ml/dataset/raw-table';
import { drawRows } from '../../ml/drift/reservoir';
import { Random } from '../../ml/random/random';

/** Values that a season may have: the days of a year. */
const MOST_VALUES = 366;

/**
 * Rows of the reference that are of the seasons of now, in the same shares: of a window in June those of June, of one that is half in July half of each.
 * As many as there can be.
 *
 * @param least fewer rows would be no reference
 * @returns null where the reference lacks a season that at least a hundredth of the rows of now has, or has too few of it
 * @throws RetrainError CONFIG_INVALID for a column of too many values
 */
export function rowsOfSeason(
  reference: Column,
  current: Column,
  least: number,
  seed: number,
): Uint32Array | null {
  const [before, now] = [rowsByValue(reference), rowsByValue(current)];
  if (now.size > MOST_VALUES) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `drift.season: ${reference.name} has ${now.size.toLocaleString('en')} values, expected a column of at most ${MOST_VALUES}, such as the month or the weekday`,
    );
  }
  const total = [...now.values()].reduce((sum, rows) => sum + rows.length, 0);
  const wanted = [...now].filter(([value, rows]) => before.has(value) || rows.length >= total / 100);
  const share = total === 0 ? 0 : 1 / wanted.reduce((sum, [, rows]) => sum + rows.length, 0);
  const most = Math.min(
    ...wanted.map(([value, rows]) => (before.get(value)?.length ?? 0) / (rows.length * share)),
  );
  if (!Number.isFinite(most) || most < least) return null;
  const random = new Random(seed, 0x7365_6173);
  const chosen = wanted.flatMap(([value, rows]) => {
    const there = before.get(value)!;
    const drawn = drawRows(
      there.length,
      Math.min(there.length, Math.round(most * rows.length * share)),
      random,
    );
    return Array.from(drawn, (i) => there[i]!);
  });
  return Uint32Array.from(chosen).sort();
}

/** Row numbers by value; missing is a value. */
function rowsByValue(column: Column): Map<string, number[]> {
  const found = new Map<string, number[]>();
  const rows = column.kind === 'number' ? column.values.length : column.codes.length;
  for (let row = 0; row < rows; row++) {
    const value =
      column.kind === 'number' ? String(column.values[row]) : `"${column.levels[column.codes[row]!] ?? ''}`;
    const known = found.get(value);
    if (known === undefined) found.set(value, [row]);
    else known.push(row);
  }
  return found;
}
