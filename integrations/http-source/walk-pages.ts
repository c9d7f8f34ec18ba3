import { createHash } from 'node:crypto';
import { type Paging } from '../../contracts/collect-http';
import { RetrainError } from '../../contracts/errors';
import { answerJson } from './answer-json';
import { at } from './json-pointer';
import { nextLink } from './link-header';
import { type SourceAnswer, type SourceClient, type SourceRequest } from './source-client';
import { shownUrl } from './source-fault';

/** A list to fetch, page by page. */
export interface PagedRequest extends Omit<SourceRequest, 'mostBytes'> {
  /** Where an answer has its rows. */
  rows: string;
  paging: Paging | undefined;
  mostPages: number;
  mostRows: number;
  /** Of all pages together. */
  mostBytes: number;
  onPage?: (pages: number, rows: number) => void;
}

export type PagedAnswer =
  | { kind: 'unchanged' }
  | {
      kind: 'rows';
      rows: unknown[];
      pages: number;
      bytes: number;
      /** Of an answer on one page; what a first page says holds for no other. */
      etag?: string | undefined;
      lastModified?: string | undefined;
    };

/**
 * All rows of a list: as many pages as it says, up to the bounds. Cursors that come again, pages that are always the same, and more than
 * was said to be possible end it.
 *
 * @throws RetrainError as `SourceClient.ask`, and SOURCE_INVALID for answers without rows and for pages without end
 */
export async function walkPages(client: SourceClient, asked: PagedRequest): Promise<PagedAnswer> {
  const { paging } = asked;
  const rows: unknown[] = [];
  const seen = new Set<string>();
  let url = firstUrl(asked.url, paging);
  let [bytes, pages] = [0, 0];
  let last = '';
  // Rows of a page that is not the last.
  let full = paging?.by === 'page' ? (paging.size ?? 0) : 0;
  // A first page that is shorter than was asked for is all, or as much as the service gives at once: the next one tells.
  let isProbe = false;
  let first: Extract<SourceAnswer, { kind: 'body' }> | undefined;
  for (let next: URL | undefined = url; next !== undefined;) {
    url = next;
    const shown = `the answer of ${shownUrl(url)}`;
    if (pages === asked.mostPages) {
      if (isProbe) break;
      throw invalid(
        `${shownUrl(url)} has more than ${asked.mostPages} pages; ask for less at a time, or raise max_pages`,
      );
    }
    const answer = await client.ask({
      ...asked,
      url,
      mostBytes: asked.mostBytes - bytes,
      known: pages === 0 ? asked.known : undefined,
      noData: absent(asked, pages, isProbe),
    });
    if (answer.kind === 'unchanged') return { kind: 'unchanged' };
    pages++;
    if (answer.kind === 'nothing') break;
    first ??= answer;
    bytes += answer.body.length;
    const value = answerJson(answer.body, answer.contentType, asked.mostRows, shown);
    const found = rowsIn(value, asked.rows, shown);
    if (rows.length + found.length > asked.mostRows) {
      throw invalid(
        `${shownUrl(url)} has more than ${asked.mostRows} rows for one day; ask for less at a time, or raise max_rows`,
      );
    }
    for (const row of found) rows.push(row);
    asked.onPage?.(pages, rows.length);
    const content = createHash('sha256').update(answer.body).digest('hex');
    if (found.length > 0 && content === last) {
      // Whoever reads no page number has told all.
      if (isProbe) {
        rows.length -= found.length;
        break;
      }
      throw invalid(
        `page ${pages} of ${shownUrl(url)} is the same as the one before; does it know ${queryOf(paging)}? Correct paging`,
      );
    }
    last = content;
    isProbe = pages === 1 && paging?.by === 'page' && paging.size_query !== undefined && found.length < full;
    if (isProbe) full = found.length;
    next = nextUrl(asked.url, url, paging, answer, value, found.length, full);
    if (next !== undefined && (seen.has(next.href) || next.href === url.href)) {
      throw invalid(
        `the pages of ${shownUrl(url)} go round in a circle after ${pages}; tell whoever runs it, or correct paging`,
      );
    }
    if (next !== undefined) seen.add(next.href);
  }
  // Whether a list that is linked has grown by a page, its first page does not say.
  const only = pages === 1 && paging?.by !== 'link' ? first : undefined;
  return {
    ...{ kind: 'rows', rows, pages, bytes },
    ...(isKept(only?.etag) ? { etag: only?.etag } : {}),
    ...(isKept(only?.lastModified) ? { lastModified: only?.lastModified } : {}),
  };
}

/** Answers of services that are asked for a page that there is not. */
const PAST_THE_END: readonly number[] = [400, 404, 416, 422];

/** Statuses that end a walk. A next page that the service itself has told of is there. */
function absent({ paging, noData }: PagedRequest, pages: number, isProbe: boolean): readonly number[] {
  if (isProbe) return [...noData, ...PAST_THE_END];
  return pages === 0 || paging?.by === 'page' ? noData : [];
}

/** Whether a validator is worth keeping: short, and fit to be sent back. */
const isKept = (header: string | undefined): boolean =>
  header !== undefined && /^[\x20-\x7e]{1,500}$/.test(header);

function rowsIn(value: unknown, pointer: string, shown: string): unknown[] {
  const found = at(value, pointer);
  if (Array.isArray(found)) return found;
  const place = pointer === '' ? 'itself' : `at ${pointer}`;
  const keys =
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.keys(value).slice(0, 5)
      : [];
  throw invalid(
    `${shown} has no list ${place} but ${kindOf(found)}${keys.length === 0 ? '' : ` (it has ${keys.map((key) => JSON.stringify(key.slice(0, 40))).join(', ')})`}; correct rows of the source, such as rows: /data/items`,
  );
}

function firstUrl(url: URL, paging: Paging | undefined): URL {
  if (paging?.by !== 'page') return url;
  return pageUrl(url, paging, paging.first);
}

function pageUrl(url: URL, paging: Extract<Paging, { by: 'page' }>, page: number): URL {
  const to = new URL(url);
  to.searchParams.set(paging.query, String(page));
  if (paging.size_query !== undefined && paging.size !== undefined)
    to.searchParams.set(paging.size_query, String(paging.size));
  return to;
}

/** Undefined: that was the last page. */
function nextUrl(
  first: URL,
  current: URL,
  paging: Paging | undefined,
  answer: Extract<SourceAnswer, { kind: 'body' }>,
  value: unknown,
  rows: number,
  full: number,
): URL | undefined {
  switch (paging?.by) {
    case undefined:
      return undefined;
    case 'page': {
      if (rows === 0 || rows < full) return undefined;
      return pageUrl(first, paging, Number(current.searchParams.get(paging.query)) + 1);
    }
    case 'cursor': {
      const cursor = at(value, paging.at);
      if (cursor === undefined || cursor === null || cursor === '' || cursor === false) return undefined;
      if ((typeof cursor !== 'string' && typeof cursor !== 'number') || String(cursor).length > 4096) {
        throw invalid(
          `the cursor at ${paging.at} of ${shownUrl(current)} is ${kindOf(cursor)}, expected a text of at most 4096 characters; correct paging.at`,
        );
      }
      if (Number.isInteger(cursor) && !Number.isSafeInteger(cursor)) {
        throw invalid(
          `the cursor at ${paging.at} of ${shownUrl(current)} is a number beyond ±2^53, whose last digits JSON loses; have the source send it as a text`,
        );
      }
      const to = new URL(first);
      to.searchParams.set(paging.query, String(cursor));
      return to;
    }
    case 'link': {
      const link = nextLink(answer.link);
      if (link === undefined) return undefined;
      if (link.length > 8192 || !URL.canParse(link, answer.url.href))
        throw invalid(
          `the header Link of ${shownUrl(current)} has a next page that is no address; tell whoever runs it`,
        );
      const to = new URL(link, answer.url);
      if (to.origin === answer.url.origin) return to;
      throw new RetrainError(
        'SOURCE_REFUSED',
        `${shownUrl(current)} goes on at ${to.origin.slice(0, 100)}, another host, which is not asked; if its pages are there, put it into the url`,
      );
    }
  }
}

const queryOf = (paging: Paging | undefined): string =>
  paging === undefined || paging.by === 'link' ? 'its links' : `the parameter ${paging.query}`;

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : `a ${typeof value}`;
}

const invalid = (message: string): RetrainError => new RetrainError('SOURCE_INVALID', message);
