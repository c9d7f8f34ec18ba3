import { RetrainError } from '../../contracts/errors';
import { type PreprocessParams } from '../../contracts/params';
import { type ColumnLook, dateIn } from './column-looks';
import { type ColumnChoice } from './column-plan';
import { columnOf, type NumberColumn, type RawTable, textAt, type TextColumn } from './raw-table';

/** What `preprocess.auto` made of the columns that are no numbers. */
export interface AutoColumns {
  encode: PreprocessParams['encode'];
  /** Names of columns left out. */
  drop: string[];
  /** Names of columns whose parts become columns. */
  dates: string[];
  /** One sentence each. */
  notes: string[];
}

/** Decides, by what the columns look like, how each becomes numbers. */
export function autoColumns(looks: readonly ColumnLook[]): AutoColumns {
  const made: AutoColumns = { encode: {}, drop: [], dates: [], notes: [] };
  for (const { name, kind, distinct, present } of looks) {
    const shown = JSON.stringify(name);
    switch (kind) {
      case 'number':
      case 'stray':
        break;
      case 'levels':
        made.encode[name] = 'one-hot';
        made.notes.push(`column ${shown} is text of ${distinct} levels: one-hot`);
        break;
      case 'many-levels':
        made.encode[name] = 'ordinal';
        made.notes.push(`column ${shown} is text of ${distinct} levels: ordinal`);
        break;
      case 'date':
        made.dates.push(name);
        made.notes.push(
          `column ${shown} holds dates: ${PARTS.map(([part]) => `${name}_${part}`).join(', ')}`,
        );
        break;
      case 'id':
        made.drop.push(name);
        made.notes.push(`column ${shown} is text, ${distinct} different ones in ${present} rows: left out`);
    }
  }
  return made;
}

/** The choice of columns with what was decided. */
export function withAuto(choice: ColumnChoice, { encode, drop, dates }: AutoColumns): ColumnChoice {
  const oldName = (name: string): string =>
    Object.entries(choice.rename).find(([, renamed]) => renamed === name)?.[0] ?? name;
  return {
    ...choice,
    drop: [...choice.drop, ...drop.map(oldName)],
    encode: [...(choice.encode ?? []), ...Object.keys(encode), ...dates],
  };
}

const DAY_MS = 86_400_000;

/** The parts of a date, in UTC. */
const PARTS: readonly (readonly [name: string, of: (date: Date) => number])[] = [
  ['year', (date) => date.getUTCFullYear()],
  ['month', (date) => date.getUTCMonth() + 1],
  ['day', (date) => date.getUTCDate()],
  ['weekday', (date) => date.getUTCDay()],
  ['days', (date) => date.getTime() / DAY_MS],
];

/**
 * Puts the parts of each date in the place of its column: `joined` becomes `joined_year`, `_month`, `_day`, `_weekday` (0:
 * Sunday) and `_days` (since 1970, with a fraction for the time of day). They are the raw columns of the model.
 *
 * @param features Names of the feature columns.
 * @throws RetrainError DATA_INVALID for a text that is no date, and a part whose name is taken.
 */
export function withDateParts(
  table: RawTable,
  features: readonly string[],
  dates: readonly string[],
): { table: RawTable; features: string[] } {
  if (dates.length === 0) return { table, features: [...features] };
  const parts = new Map(dates.map((name) => [name, partsOf(table, columnOf(table, name))]));
  const taken = new Set(table.columns.map(({ name }) => name));
  const clash = [...parts.values()].flat().find(({ name }) => taken.has(name));
  if (clash !== undefined) {
    throw new RetrainError(
      'DATA_INVALID',
      `${table.file}: preprocess.auto makes a column "${clash.name}" of a date, and there is one already; rename or drop one of them`,
    );
  }
  return {
    table: { ...table, columns: table.columns.flatMap((column) => parts.get(column.name) ?? [column]) },
    features: features.flatMap((name) => parts.get(name)?.map((part) => part.name) ?? [name]),
  };
}

function partsOf(table: RawTable, column: NumberColumn | TextColumn): NumberColumn[] {
  if (column.kind === 'number') return [column];
  const dates = column.levels.map(dateIn);
  const bad = column.codes.findIndex((code) => code >= 0 && dates[code] === undefined);
  if (bad !== -1) {
    throw new RetrainError(
      'DATA_INVALID',
      `${table.file}: row ${table.rowNumbers?.[bad] ?? bad + 1}, column "${column.name}": ${JSON.stringify(textAt(column, bad)?.slice(0, 40))} is no date, as the first 100,000 rows are`,
    );
  }
  return PARTS.map(([part, of]) => {
    const values = dates.map((date) => (date === undefined ? Number.NaN : of(date)));
    return {
      kind: 'number',
      name: `${column.name}_${part}`,
      values: Float64Array.from(column.codes, (code) => values[code] ?? Number.NaN),
    };
  });
}
