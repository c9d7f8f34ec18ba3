import { listed } from '../../contracts/errors';
import { type Column } from './raw-table';
import { nameRows } from './row-names';
import { seenAmong, type SeenRows } from './seen-rows';

/** Held-out rows that two models can be compared on. */
export interface UnseenRows {
  /** Row numbers, rising. */
  rows: Uint32Array;
  /** Rows left out as the champion was trained on them; null: it is not known which. */
  seenByChampion: number | null;
  /** Further rows left out as the candidate itself was trained on equal ones. */
  seenByCandidate: number;
  /** Why it is not known what the champion was trained on. */
  unknown: string | null;
}

/**
 * The held-out rows that neither model was trained on. Each model's training rows are told by the columns that they were
 * named by, so columns that came later change nothing.
 *
 * @param columns All that is known of the held-out rows, by the columns' names.
 * @param candidate Its training rows; null for a stage that does not tell them: it is taken at its word.
 * @param champion The same of the champion, or a few words on why it is not known.
 */
export function unseenRows(
  columns: readonly Column[],
  rows: number,
  candidate: SeenRows | null,
  champion: SeenRows | string,
): UnseenRows {
  const known = typeof champion === 'string' ? champion : seenBy(columns, rows, champion);
  const byChampion = typeof known === 'string' ? new Uint8Array(rows) : known;
  const own = candidate === null ? 'not told' : seenBy(columns, rows, candidate);
  const byCandidate = typeof own === 'string' ? new Uint8Array(rows) : own;
  const numbers = Uint32Array.from(byChampion, (_, row) => row);
  return {
    rows: numbers.filter((row) => byChampion[row] === 0 && byCandidate[row] === 0),
    seenByChampion: typeof known === 'string' ? null : count(byChampion, (seen) => seen === 1),
    seenByCandidate: count(byCandidate, (seen, row) => seen === 1 && byChampion[row] === 0),
    unknown: typeof known === 'string' ? known : null,
  };
}

function count(flags: Uint8Array, isCounted: (flag: number, row: number) => boolean): number {
  let sum = 0;
  for (const [row, flag] of flags.entries()) if (isCounted(flag, row)) sum++;
  return sum;
}

/** `[n]` 1 for each row that is among them, or which columns are missing to tell. */
function seenBy(columns: readonly Column[], rows: number, seen: SeenRows): Uint8Array | string {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const chosen = seen.columns.flatMap((name) => byName.get(name) ?? []);
  if (chosen.length === seen.columns.length) return seenAmong(nameRows(chosen, rows), seen);
  const gone = seen.columns.filter((name) => !byName.has(name));
  return `its rows are told apart by ${gone.length === 1 ? 'a column' : 'columns'} that this run does not read: ${listed(gone)}`;
}
