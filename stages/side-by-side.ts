import { type Disagreement, type SideBySide } from '../contracts/evidence';
import { type TableSchema } from '../contracts/stage';
import { type Column, textAt } from '../ml/dataset/raw-table';
import { classNumbersOf, type StoredTable, targetValues } from '../ml/dataset/table-artifact';
import { type Scored } from '../ml/scoring/scoring-table';

/** Of each kind: lost, won, both wrong. */
const MOST_SHOWN = 20;
const MOST_COLUMNS = 30;
const MOST_LETTERS = 100;

/** Matrices of more classes are no picture. */
const MOST_CLASSES = 20;

export interface Compared {
  /** `[n]` numbers of the rows among the held-out ones, from 0. */
  rows: Uint32Array;
  table: StoredTable;
  /** Further columns of the same rows, which tell rows apart. */
  keys: readonly Column[];
  schema: TableSchema;
  candidate: Scored;
  champion: Scored;
}

/** What the rows say one by one: which the champion had right and the candidate has not, and the other way round. */
export function sideBySide(compared: Compared): SideBySide {
  return compared.schema.task === 'regression' ? byValue(compared) : byClass(compared);
}

function byClass(compared: Compared): SideBySide {
  const { table, schema } = compared;
  const mine = compared.candidate.labels ?? [];
  const its = compared.champion.labels ?? [];
  const truth = Array.from(classNumbersOf(table, schema), (number) => schema.classes[number] ?? '');
  const labels = [...new Set([...schema.classes, ...mine, ...its])];
  const count = (said: readonly string[]): number[][] => {
    const numberOf = new Map(labels.map((label, number) => [label, number]));
    const counts = labels.map(() => labels.map(() => 0));
    for (const [row, label] of said.entries()) {
      const line = counts[numberOf.get(truth[row] ?? '') ?? -1];
      const at = numberOf.get(label) ?? -1;
      if (line !== undefined) line[at] = (line[at] ?? 0) + 1;
    }
    return counts;
  };
  const differing = [...truth.keys()].filter((row) => mine[row] !== its[row]);
  const lost = differing.filter((row) => its[row] === truth[row]);
  const won = differing.filter((row) => mine[row] === truth[row]);
  const neither = differing.filter((row) => its[row] !== truth[row] && mine[row] !== truth[row]);
  const shown = [lost, won, neither].flatMap((rows) => rows.slice(0, MOST_SHOWN));
  return {
    confusions:
      labels.length > MOST_CLASSES
        ? null
        : { labels: labels.map(cut), candidate: count(mine), champion: count(its) },
    disagreements: {
      ...{ total: differing.length, lost: lost.length, won: won.length, columns: columnNames(compared) },
      shown: shown.map((row) =>
        entry(compared, row, { truth: truth[row], candidate: mine[row], champion: its[row] }),
      ),
    },
  };
}

/** Numbers hardly ever agree: where one of the two gains or loses most. */
function byValue(compared: Compared): SideBySide {
  const truth = targetValues(compared.table);
  const mine = compared.candidate.values ?? new Float64Array();
  const its = compared.champion.values ?? new Float64Array();
  const gain = truth.map(
    (value, row) => Math.abs(value - (its[row] ?? 0)) - Math.abs(value - (mine[row] ?? 0)),
  );
  const differing = [...truth.keys()].filter((row) => mine[row] !== its[row]);
  const byGain = [...differing].sort((a, b) => (gain[a] ?? 0) - (gain[b] ?? 0) || a - b);
  const lost = byGain.filter((row) => (gain[row] ?? 0) < 0);
  const won = byGain.filter((row) => (gain[row] ?? 0) > 0).reverse();
  const shown = [lost, won].flatMap((rows) => rows.slice(0, MOST_SHOWN));
  return {
    confusions: null,
    disagreements: {
      ...{ total: differing.length, lost: lost.length, won: won.length, columns: columnNames(compared) },
      shown: shown.map((row) =>
        entry(compared, row, {
          ...{ truth: short(truth[row]), candidate: short(mine[row]), champion: short(its[row]) },
        }),
      ),
    },
  };
}

function entry(
  compared: Compared,
  row: number,
  said: Partial<Record<'truth' | 'candidate' | 'champion', string | undefined>>,
): Disagreement {
  return {
    row: (compared.rows[row] ?? 0) + 1,
    truth: cut(said.truth ?? ''),
    candidate: cut(said.candidate ?? ''),
    champion: cut(said.champion ?? ''),
    values: shownColumns(compared).map((column) => cell(column, row)),
  };
}

/** What tells rows apart first; a column that is among both once, and the target not at all. */
function shownColumns({ table, keys, schema }: Compared): Column[] {
  const columns = new Map<string, Column>();
  for (const column of [...keys, ...table.columns]) {
    if (column.name !== schema.target && columns.size < MOST_COLUMNS) columns.set(column.name, column);
  }
  return [...columns.values()];
}

const columnNames = (compared: Compared): string[] => shownColumns(compared).map(({ name }) => cut(name));

function cell(column: Column, row: number): string | number | null {
  if (column.kind === 'text') {
    const text = textAt(column, row);
    return text === undefined ? null : cut(text);
  }
  const value = column.values[row] ?? Number.NaN;
  return Number.isFinite(value) ? Number(value.toPrecision(7)) : null;
}

const short = (value: number | undefined): string => String(Number((value ?? Number.NaN).toPrecision(7)));

function cut(text: string): string {
  return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS - 1)}…` : text;
}
