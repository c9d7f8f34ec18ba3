import { RetrainError } from '../../contracts/errors';
import { type CellRules, shownCell } from './cell';
import { type TextColumn } from './raw-table';

/** What a column of texts looks like. `stray`: numbers, but for some cells. */
export interface ColumnLook {
  name: string;
  kind: 'number' | 'stray' | 'date' | 'levels' | 'many-levels' | 'id';
  /** Different texts. */
  distinct: number;
  /** Cells that are not missing. */
  present: number;
  /** One of the texts. */
  example: string;
}

/** Up to here a column of 0 and 1 per level is the better encoding. */
export const FEW_LEVELS = 50;

/** ISO 8601, or the same with slashes; the order of others is anybody's guess. */
const DATE = /^\d{4}([-/])\d{1,2}\1\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** Days from 1970 and hour of an ISO date, in UTC; undefined for what is none. */
export function dateIn(text: string): Date | undefined {
  if (!DATE.test(text)) return undefined;
  const [day = '', time = ''] = text.replaceAll('/', '-').split(/[T ]/);
  const iso = day
    .split('-')
    .map((part) => part.padStart(2, '0'))
    .join('-');
  const zone = /(Z|[+-]\d{2}:?\d{2})$/.test(time) ? '' : 'Z';
  const date = new Date(time === '' ? iso : `${iso}T${time.padStart(5, '0')}${zone}`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** Looks at a column that was read as texts. */
export function lookAt({ name, codes, levels }: TextColumn, rules: CellRules): ColumnLook {
  const counts = new Float64Array(levels.length);
  let present = 0;
  for (const code of codes) {
    if (code < 0) continue;
    counts[code]!++;
    present++;
  }
  const isNumber = levels.map((level) => typeof rules.parseNumber(level) === 'number');
  const numbers = isNumber.reduce((sum, is, code) => sum + (is ? (counts[code] ?? 0) : 0), 0);
  const distinct = levels.length;
  const example = levels[isNumber.indexOf(false)] ?? levels[0] ?? '';
  const kind =
    numbers === present
      ? 'number'
      : numbers * 2 >= present
        ? 'stray'
        : levels.every((level) => dateIn(level) !== undefined)
          ? 'date'
          : distinct <= FEW_LEVELS
            ? 'levels'
            : distinct * 2 > present
              ? 'id'
              : 'many-levels';
  return { name, kind, distinct, present, example };
}

/**
 * One error for all columns that are no numbers, with the lines of params.yaml that would take them.
 *
 * @returns undefined when there is no such column, so that the first cell that is wrong says it best.
 */
export function notNumbers(file: string, looks: readonly ColumnLook[]): RetrainError | undefined {
  const texts = looks.filter(({ kind }) => kind !== 'number' && kind !== 'stray');
  if (texts.length === 0) return undefined;
  const [one] = texts;
  const subject =
    texts.length === 1
      ? `column ${described(one!)}`
      : `${texts.length} columns are no numbers: ${texts.slice(0, MOST_SHOWN).map(described).join(', ')}`;
  const more = texts.length > MOST_SHOWN ? ` and ${texts.length - MOST_SHOWN} more` : '';
  return new RetrainError(
    'DATA_INVALID',
    `${file}: ${subject}${more}; to take ${texts.length === 1 ? 'it' : 'them'}, add ${linesFor(texts)} to params.yaml, or preprocess: { auto: true }`,
  );
}

const MOST_SHOWN = 20;

function described({ name, kind, distinct, present, example }: ColumnLook): string {
  const what =
    kind === 'date'
      ? 'holds dates'
      : kind === 'id'
        ? `is text, ${distinct} different ones in ${present} rows`
        : `is text of ${distinct} levels`;
  return `${JSON.stringify(name)} ${what} (such as ${shownCell(example)})`;
}

/** `preprocess: { encode: { city: one-hot }, drop: [note] }` */
function linesFor(texts: readonly ColumnLook[]): string {
  const encoded = texts.flatMap(({ name, kind }) =>
    kind === 'levels' ? [`${yaml(name)}: one-hot`] : kind === 'many-levels' ? [`${yaml(name)}: ordinal`] : [],
  );
  const dropped = texts.filter(({ kind }) => kind === 'date' || kind === 'id').map(({ name }) => yaml(name));
  const parts = [
    ...(encoded.length === 0 ? [] : [`encode: { ${encoded.join(', ')} }`]),
    ...(dropped.length === 0 ? [] : [`drop: [${dropped.join(', ')}]`]),
  ];
  return `preprocess: { ${parts.join(', ')} }`;
}

const yaml = (name: string): string =>
  /^[A-Za-z_][\w-]*$/.test(name) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(name)
    ? name
    : JSON.stringify(name);
