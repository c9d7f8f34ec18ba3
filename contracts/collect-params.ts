import { z } from 'zod';
import { columnMistakes, columnName } from './collect-column-checks';

const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m|h)$/, 'must be a duration such as 500ms, 5s, 10m or 2h');

/** A calendar day, as files and sources are told of it. */
export const CollectDay = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a day such as 2026-03-09')
  .refine(isDay, 'must be a day of the calendar such as 2026-03-09');

/** RFC 6901. */
const pointer = z
  .string()
  .max(500)
  .regex(/^(\/([^~]|~[01])*)?$/s, 'must be a JSON pointer such as /data/items');

const queryName = z.string().regex(/^[\w.[\]$:~-]{1,100}$/, 'must be the name of a query parameter');

/** What a cell may be: a `date` is 2026-03-09, a `time` 2026-03-09T12:00:00.000Z; in Parquet they have types of their own. */
export const CELL_TYPES = ['text', 'number', 'integer', 'boolean', 'date', 'time'] as const;
export type CellType = (typeof CELL_TYPES)[number];

const CollectColumn = z
  .strictObject({
    type: z.enum(CELL_TYPES),
    required: z.boolean().default(true).describe('Whether a row without it, or with null there, is refused.'),
    min: z.union([z.number(), z.string().max(100)]).optional(),
    max: z.union([z.number(), z.string().max(100)]).optional(),
    one_of: z.array(z.string().max(1000)).min(1).max(1000).optional(),
    at: pointer.optional().describe('Where in the row, if not under its own name: /price/amount.'),
  })
  .superRefine(checkBounds);
export type CollectColumn = z.infer<typeof CollectColumn>;

const Paging = z
  .discriminatedUnion('by', [
    z.strictObject({
      by: z.literal('cursor'),
      at: pointer.describe('Where an answer has the next cursor; missing, null or empty: it was the last.'),
      query: queryName.default('cursor').describe('Query parameter that it is sent back in.'),
    }),
    z.strictObject({
      by: z.literal('page'),
      query: queryName.default('page'),
      first: z.int().min(0).max(1).default(1).describe('Number of the first page.'),
      size: z
        .int()
        .min(1)
        .max(100_000)
        .optional()
        .describe(
          'Rows of a page; a shorter one is the last, but for the first, if `size_query` asks for it: a service may give fewer. Else an empty one is.',
        ),
      size_query: queryName.optional().describe('Query parameter for `size`.'),
    }),
    z.strictObject({ by: z.literal('link') }),
  ])
  .describe(
    'How a list goes on: {by: cursor, at: /next, query: cursor}, {by: page, query: page, size: 100, size_query: per_page}, or {by: link}, the header Link with rel="next". Default: one answer has all.',
  );
export type Paging = z.infer<typeof Paging>;

/** Headers that are the connection's, or carry who somebody is. */
const OWN_HEADERS =
  /^(host|connection|content-length|transfer-encoding|te|upgrade|expect|keep-alive|trailer|authorization|cookie|accept-encoding|if-none-match|if-modified-since|range|proxy-.*|x-forwarded-.*|forwarded|x-api-key)$/i;

const Headers = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9-]{1,100}$/, 'must be the name of a header')
      .refine((name) => !OWN_HEADERS.test(name), 'is not to be set here; a key goes into auth'),
    z
      .string()
      .max(1000)
      .regex(/^[\x20-\x7e]*$/, 'must be printable ASCII on one line'),
  )
  .default({})
  .describe('Request headers. No keys: params.yaml is committed.');

const Auth = z
  .strictObject({
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'must be the name of an environment variable')
      .describe(
        'Variable that holds the key. The environment of whoever collects says to which host it may go: RETRAIN_COLLECT_ENV.',
      ),
    header: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,100}$/, 'must be the name of a header')
      .optional(),
    query: queryName.optional(),
    prefix: z
      .string()
      .max(50)
      .regex(/^[\x20-\x7e]*$/, 'must be printable ASCII')
      .optional()
      .describe('Stands before the key; of the header Authorization, default "Bearer ".'),
  })
  .superRefine(({ header, query }, context) => {
    if ((header === undefined) === (query === undefined))
      context.addIssue({
        code: 'custom',
        path: [],
        message: 'needs either header or query, such as {env: PRICES_API_KEY, header: Authorization}',
        input: header ?? query,
      });
  })
  .describe(
    'The API key: {env: PRICES_API_KEY, header: Authorization}, or {env: PRICES_API_KEY, query: api_key}.',
  );

export const CollectSource = z
  .strictObject({
    url: z
      .string()
      .min(1)
      .max(2000)
      .describe(
        'Address that is asked, by GET: https://api.example.com/prices?day={day}. {day}: 2026-03-09, or its parts as {yyyy}, {mm}, {dd}; {from} and {to}: that day and the next; {watermark}: the highest value that was collected before. A source without a day is asked for the present day only.',
      ),
    headers: Headers,
    auth: Auth.optional(),
    rows: pointer
      .default('')
      .describe(
        'Where an answer has the list of rows, as a JSON pointer: /data/items. Default: the answer is the list.',
      ),
    paging: Paging.optional(),
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
    no_data: z
      .array(z.int().min(400).max(499))
      .max(20)
      .default([])
      .describe(
        'Answers that mean that there is nothing of that day: [404]. 204 and an empty list always do.',
      ),
    max_quarantined: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe('Largest share of rows that may be refused; more, and nothing is written.'),
    max_pages: z.int().min(1).max(100_000).default(1000).describe('Answers that one day may take.'),
    max_rows: z.int().min(1).max(1_000_000).default(200_000).describe('Rows that one day may have.'),
    max_bytes: z
      .int()
      .min(1)
      .max(128 << 20)
      .default(32 << 20)
      .describe('Bytes that the answers of one day may have, unpacked.'),
    timeout: duration.default('60s').describe('Longest time for one answer.'),
    requests_per_minute: z.number().gt(0).max(60_000).default(600).describe('Most requests to it.'),
  })
  .superRefine(checkSource);
export type CollectSource = z.infer<typeof CollectSource>;

export const CollectParams = z
  .strictObject({
    sources: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_-]{0,59}$/, 'must be a name of lower case letters, digits, - and _'),
        CollectSource,
      )
      .refine((sources) => Object.keys(sources).length > 0, 'must name at least one source')
      .refine((sources) => Object.keys(sources).length <= 100, 'must name at most 100 sources')
      .describe(
        'HTTP sources by name, each with `url` and `columns` at least. docs/collect.md has each key.',
      ),
    then: z
      .enum(['nothing', 'train'])
      .default('nothing')
      .describe(
        'train: start the training pipeline when a file has new content; the same data train nothing again.',
      ),
    timezone: z
      .string()
      .max(100)
      .refine(isZone, 'must be a time zone such as Europe/Berlin')
      .default('UTC')
      .describe('Where a day begins.'),
    records: z
      .string()
      .min(1)
      .max(200)
      .default('data/collected')
      .describe(
        'Folder of what is kept beside the files: where each came from, rows that were refused, what was replaced. Not within the data.',
      ),
    catch_up: z
      .int()
      .min(1)
      .max(366)
      .default(31)
      .describe('Most days that are collected at once, the oldest first, when some were missed.'),
  })
  .superRefine(checkFolders);
export type CollectParams = z.infer<typeof CollectParams>;

/** Names in braces that a URL may have. */
export const DAY_NAMES = ['day', 'yyyy', 'mm', 'dd', 'from', 'to'] as const;
const TEMPLATE_NAMES: readonly string[] = [...DAY_NAMES, 'watermark'];

/** Names in braces, in order. */
export const templateNames = (url: string): string[] =>
  [...url.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);

/** Whether a source can be asked for other days than the present one. */
export const isDated = ({ url }: Pick<CollectSource, 'url'>): boolean =>
  templateNames(url).some((name) => (DAY_NAMES as readonly string[]).includes(name));

interface Issues {
  addIssue(issue: { code: 'custom'; path: (string | number)[]; message: string; input: unknown }): void;
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function isDay(text: string): boolean {
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

function checkBounds(
  { type, min, max, one_of: oneOf }: z.output<typeof CollectColumn>,
  context: Issues,
): void {
  const expected =
    type === 'number' || type === 'integer'
      ? 'number'
      : type === 'date' || type === 'time'
        ? 'string'
        : undefined;
  for (const [key, bound] of [
    ['min', min],
    ['max', max],
  ] as const) {
    if (bound === undefined || typeof bound === expected) continue;
    const message =
      expected === undefined
        ? `is not for a column of type ${type}`
        : `must be a ${expected} in a column of type ${type}`;
    context.addIssue({ code: 'custom', path: [key], message, input: bound });
  }
  if (oneOf !== undefined && type !== 'text')
    context.addIssue({
      code: 'custom',
      path: ['one_of'],
      message: `is for columns of type text only`,
      input: oneOf,
    });
}

/** A schema check: a URL that can be asked, and columns that are there. */
function checkSource(source: z.output<typeof CollectSource>, context: Issues): void {
  const { url, columns, unique = [], day_column: dayColumn, watermark, auth } = source;
  const mistake = (path: (string | number)[], message: string, input: unknown): void =>
    context.addIssue({ code: 'custom', path, message, input });
  const names = templateNames(url);
  const unknown = names.find((name) => !TEMPLATE_NAMES.includes(name));
  if (unknown !== undefined)
    mistake(
      ['url'],
      `must name only ${TEMPLATE_NAMES.map((one) => `{${one}}`).join(', ')} in braces`,
      `{${unknown}}`,
    );
  const scheme = /^https?:\/\/([^/?#]+)/i.exec(url);
  if (scheme === null) mistake(['url'], 'must begin with https:// or http:// and a host', url.slice(0, 60));
  else if (/[{}]/.test(scheme[1] ?? '')) mistake(['url'], 'must not have braces in its host', scheme[1]);
  else if ((scheme[1] ?? '').includes('@'))
    mistake(['url'], 'must have no user or password; a key goes into auth', '[hidden]');
  else if (url.includes('#')) mistake(['url'], 'must have no #, which is sent to nobody', url.slice(0, 60));
  else if (!URL.canParse(url.replace(/\{[^{}]*\}/g, '0')))
    mistake(['url'], 'must be an address', url.slice(0, 60));
  if (names.includes('watermark') && watermark === undefined)
    mistake(['watermark'], 'is needed for {watermark} in the url, such as {column: updated_at}', undefined);
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
  if (dayColumn !== undefined && !isDated(source))
    mistake(['day_column'], 'is for a url with a day', dayColumn);
  if (auth?.query !== undefined && new RegExp(`[?&]${escaped(auth.query)}=`).test(url))
    mistake(['auth', 'query'], 'must not be in the url as well', auth.query);
  if (watermark !== undefined && Object.hasOwn(columns, watermark.column)) {
    const column = columns[watermark.column];
    const isMissing = typeof column === 'object' && !column.required;
    if (isMissing || typeOf(column) === 'boolean')
      mistake(['watermark', 'column'], 'must be a column that is required, and no boolean', watermark.column);
  }
}

const typeOf = (column: CellType | CollectColumn | undefined): CellType | undefined =>
  typeof column === 'object' ? column.type : column;

/** A folder of the project, none of a tool’s own. */
const FOLDER = /^(?!\.)[^/\\\0]+(\/(?!\.)[^/\\\0]+)*$/;

/** A schema check: files and what is kept beside them lie in the project, and apart. */
function checkFolders(
  { sources, records }: { sources: Record<string, CollectSource>; records: string },
  context: Issues,
): void {
  const folders: [(string | number)[], string][] = [
    [['records'], records],
    ...Object.entries(sources).map(([name, { to }]): [(string | number)[], string] => [
      ['sources', name, 'to'],
      to,
    ]),
  ];
  for (const [path, folder] of folders) {
    if (!FOLDER.test(folder) || /^node_modules(\/|$)/.test(folder)) {
      context.addIssue({
        code: 'custom',
        path,
        message: 'must be a folder inside the project, such as data/raw, none that begins with a dot',
        input: folder,
      });
    } else if (
      path[0] === 'sources' &&
      (folder === records || folder.startsWith(`${records}/`) || records.startsWith(`${folder}/`))
    ) {
      context.addIssue({
        code: 'custom',
        path,
        message: `must lie apart from records (${records}), which are no data`,
        input: folder,
      });
    }
  }
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
