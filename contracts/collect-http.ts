import { z } from 'zod';
import { type Issues, pointer } from './collect-columns';

const queryName = z.string().regex(/^[\w.[\]$:~-]{1,100}$/, 'must be the name of a query parameter');

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
  .describe('Request headers. No keys: params.yaml is committed.');

export const Auth = z
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

export type Auth = z.infer<typeof Auth>;

/** Keys of a source that is asked over HTTP. What is left out, `HTTP_DEFAULTS` says, so that a container's source can be told from one. */
export const httpKeys = {
  url: z
    .string()
    .min(1)
    .max(2000)
    .optional()
    .describe(
      'Address that is asked, by GET: https://api.example.com/prices?day={day}. {day}: 2026-03-09, or its parts as {yyyy}, {mm}, {dd}; {from} and {to}: that day and the next; {watermark}: the highest value that was collected before. A source without a day is asked for the present day only.',
    ),
  headers: Headers.optional(),
  auth: Auth.optional(),
  rows: pointer
    .optional()
    .describe(
      'Where an answer has the list of rows, as a JSON pointer: /data/items. Default: the answer is the list.',
    ),
  paging: Paging.optional(),
  no_data: z
    .array(z.int().min(400).max(499))
    .max(20)
    .optional()
    .describe('Answers that mean that there is nothing of that day: [404]. 204 and an empty list always do.'),
  max_pages: z.int().min(1).max(100_000).optional().describe('Answers that one day may take.'),
  requests_per_minute: z.number().gt(0).max(60_000).optional().describe('Most requests to it.'),
} as const;

export const HTTP_DEFAULTS = {
  headers: {} as Record<string, string>,
  rows: '',
  no_data: [] as number[],
  max_pages: 1000,
  requests_per_minute: 600,
  timeout: '60s',
};

/** Names in braces that a URL may have. */
export const DAY_NAMES = ['day', 'yyyy', 'mm', 'dd', 'from', 'to'] as const;
const TEMPLATE_NAMES: readonly string[] = [...DAY_NAMES, 'watermark'];

/** Names in braces, in order. */
export const templateNames = (url: string): string[] =>
  [...url.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);

/** Whether an address is another one each day. */
export const namesDay = (url: string): boolean =>
  templateNames(url).some((name) => (DAY_NAMES as readonly string[]).includes(name));

/** A schema check: an address that can be asked. */
export function checkAddress(
  { url, auth, watermark }: { url: string; auth?: z.output<typeof Auth> | undefined; watermark?: unknown },
  context: Issues,
): void {
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
  if (auth?.query !== undefined && new RegExp(`[?&]${escaped(auth.query)}=`).test(url))
    mistake(['auth', 'query'], 'must not be in the url as well', auth.query);
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
