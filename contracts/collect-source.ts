import { z } from 'zod';
import { CELL_TYPES, type CellType, CollectColumn, CollectDay, type Issues } from './collect-columns';
import { columnMistakes, columnName } from './collect-column-checks';
import { checkAddress, HTTP_DEFAULTS, httpKeys, namesDay, type Auth, type Paging } from './collect-http';
import { type ContainerOptions, placement } from './container';

/** Keys that all sources have. */
const sharedKeys = {
  columns: z
    .record(columnName, z.union([z.enum(CELL_TYPES), CollectColumn]))
    .refine((columns) => Object.keys(columns).length > 0, 'must name at least one column')
    .refine((columns) => Object.keys(columns).length <= 1000, 'must name at most 1000 columns')
    .describe(
      'What a row has: {price: {type: number, min: 0}, card: text, promotion: {type: text, required: false}}. Types: text, number, integer, boolean, date, time. A row that does not fit goes to quarantine; what else it has is left out.',
    ),
  unique: z
    .array(columnName)
    .min(1)
    .max(20)
    .optional()
    .describe(
      'Columns that tell rows apart: [card, day]. Rows are sorted by them; one that comes twice is kept once, or refused if it differs.',
    ),
  day_column: columnName
    .optional()
    .describe(
      'Column that must say the day that was asked for; for sources that pass over what they do not understand.',
    ),
  watermark: z
    .strictObject({
      column: columnName,
      start: z.string().max(100).default('').describe('What {watermark} is at first.'),
    })
    .optional()
    .describe(
      'For what only grows: {column: updated_at, start: "2026-01-01T00:00:00Z"}. Rows that an earlier day has are left out.',
    ),
  format: z.enum(['json', 'parquet']).default('parquet').describe('Of the files.'),
  to: z
    .string()
    .min(1)
    .max(200)
    .default('data/raw')
    .describe('Folder of the files, in the project: <to>/<source>-<day>.parquet.'),
  start: CollectDay.optional().describe(
    'The first day that there is. Default: the day on which it is first collected.',
  ),
  lag_days: z
    .int()
    .min(0)
    .max(366)
    .default(0)
    .describe('How many days after its own a day is collected: 1 for a source that tells of yesterday.'),
  recheck_days: z
    .int()
    .min(0)
    .max(366)
    .default(0)
    .describe('How many days before the newest are asked for again each time, for corrections.'),
  max_quarantined: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('Largest share of rows that may be refused; more, and nothing is written.'),
  max_rows: z.int().min(1).max(1_000_000).default(200_000).describe('Rows that one day may have.'),
  max_bytes: z
    .int()
    .min(1)
    .max(128 << 20)
    .default(32 << 20)
    .describe('Bytes that the answers of one day may have, unpacked.'),
  timeout: z
    .string()
    .regex(/^\d+(\.\d+)?(ms|s|m|h)$/, 'must be a duration such as 500ms, 5s, 10m or 2h')
    .optional()
    .describe('Longest time for one answer (60s), or for the container of one day (30m).'),
} as const;

const { image, command, env, cpus, memory, disk, network, user, volumes, queue } = placement;

/** Keys of a source that is a container; see `placement`. */
const containerKeys = {
  ...{ image, command, env, cpus, memory, disk, network, user, volumes, queue },
  params: z
    .record(z.string().min(1).max(200), z.json())
    .refine((params) => JSON.stringify(params).length <= 100_000, 'must have at most 100,000 characters')
    .optional()
    .describe('Of its own: what /stage/params.json has under `params`. No keys: params.yaml is committed.'),
  past: z
    .boolean()
    .optional()
    .describe('false: it tells of the present only, and is run for the present day alone. Default: true.'),
} as const;

const HTTP_KEYS = Object.keys(httpKeys) as (keyof typeof httpKeys)[];
const CONTAINER_KEYS = Object.keys(containerKeys) as (keyof typeof containerKeys)[];
const CONTAINER_DEFAULTS = { past: true, timeout: '30m' };

const SourceKeys = z.strictObject({ ...httpKeys, ...containerKeys, ...sharedKeys });
type SourceKeys = z.output<typeof SourceKeys>;

/** What every source has. */
export type SharedSource = Pick<SourceKeys, Exclude<keyof typeof sharedKeys, 'timeout'>> & {
  timeout: string;
};

/** A source that is asked over HTTP. */
export interface HttpSource extends SharedSource {
  url: string;
  headers: Record<string, string>;
  auth?: Auth | undefined;
  rows: string;
  paging?: Paging | undefined;
  no_data: number[];
  max_pages: number;
  requests_per_minute: number;
}

/** A source that is a container, which leaves the rows of a day in files. */
export interface ContainerSource extends SharedSource, Omit<ContainerOptions, 'gpus' | 'timeout'> {
  params?: Record<string, z.core.util.JSONType> | undefined;
  past: boolean;
  /** Task queue whose workers run it. */
  queue?: string | undefined;
}

/** A source as params.yaml has it, with what it leaves out filled in; checked again, it is the same. */
export const CollectSource = SourceKeys.superRefine(checkSource).transform(
  (source): HttpSource | ContainerSource => {
    const given = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined));
    return source.url === undefined
      ? ({ ...CONTAINER_DEFAULTS, ...given } as ContainerSource)
      : ({ ...HTTP_DEFAULTS, ...given } as HttpSource);
  },
);
export type CollectSource = HttpSource | ContainerSource;

export const isHttp = (source: CollectSource): source is HttpSource => 'url' in source;

/** Whether a source can be asked for other days than the present one. */
export const isDated = (source: CollectSource): boolean =>
  isHttp(source) ? namesDay(source.url) : source.past;

/** What the container of a source is given. */
export function sourceContainer(source: ContainerSource): ContainerOptions {
  const { image, command = [], env, cpus, memory, network, user, volumes, timeout } = source;
  // Twice what is read, so that a source that says too much is told so, and the disk has its bound.
  const disk = source.disk ?? `${Math.ceil((2 * source.max_bytes) / 2 ** 20)}m`;
  const given = { command, env, cpus, memory, disk, network, user, volumes, timeout };
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(said) as Omit<ContainerOptions, 'image'>), image };
}

/** A schema check: one kind of source, and columns that are there. */
function checkSource(source: SourceKeys, context: Issues): void {
  const { url, image: ofContainer, columns, unique = [], day_column: dayColumn, watermark } = source;
  const mistake = (path: (string | number)[], message: string, input: unknown): void =>
    context.addIssue({ code: 'custom', path, message, input });
  if (url === undefined && ofContainer === undefined) {
    const what = source.command === undefined ? '' : '; a command is run in a container only';
    mistake(
      [],
      `needs a url, for HTTP, or an image, for a container${what}`,
      Object.keys(source).slice(0, 5),
    );
  }
  const alien = (url === undefined ? HTTP_KEYS : CONTAINER_KEYS).filter((key) => source[key] !== undefined);
  if (url !== undefined || ofContainer !== undefined) {
    for (const key of alien)
      mistake(
        [key],
        `is for ${url === undefined ? 'a url' : 'a container'}, and this source has ${url === undefined ? 'an image' : 'a url'}`,
        source[key],
      );
  }
  if (url !== undefined) checkAddress({ ...source, url }, context);
  const named: [(string | number)[], string][] = [
    ...unique.map((name, at): [(string | number)[], string] => [['unique', at], name]),
    ...(dayColumn === undefined ? [] : [[['day_column'], dayColumn] as [(string | number)[], string]]),
    ...(watermark === undefined
      ? []
      : [[['watermark', 'column'], watermark.column] as [(string | number)[], string]]),
  ];
  for (const [path, name] of named) {
    if (!Object.hasOwn(columns, name)) mistake(path, 'must be one of columns', name);
  }
  for (const [path, message, input] of columnMistakes(columns, watermark)) mistake(path, message, input);
  const isOfDays = url === undefined ? source.past !== false : namesDay(url);
  if (dayColumn !== undefined && !isOfDays)
    mistake(
      ['day_column'],
      url === undefined ? 'is for a source with a past' : 'is for a url with a day',
      dayColumn,
    );
  if (watermark !== undefined && Object.hasOwn(columns, watermark.column)) {
    const column = columns[watermark.column];
    const isMissing = typeof column === 'object' && !column.required;
    if (isMissing || typeOf(column) === 'boolean')
      mistake(['watermark', 'column'], 'must be a column that is required, and no boolean', watermark.column);
  }
}

const typeOf = (column: CellType | CollectColumn | undefined): CellType | undefined =>
  typeof column === 'object' ? column.type : column;
