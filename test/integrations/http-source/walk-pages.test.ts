import { type Paging } from '../../../contracts/collect-http';
import { at } from '../../../integrations/http-source/json-pointer';
import { nextLink } from '../../../integrations/http-source/link-header';
import { collectSettings } from '../../../integrations/http-source/settings';
import { createSourceClient, type SourceClient } from '../../../integrations/http-source/source-client';
import { recordedUrl } from '../../../integrations/http-source/source-fault';
import { type PagedAnswer, type PagedRequest, walkPages } from '../../../integrations/http-source/walk-pages';
import { json, SourceServer } from './source-server';

const server = new SourceServer();
let client: SourceClient;
beforeAll(async () => {
  await server.start();
  client = createSourceClient(collectSettings({ RETRAIN_COLLECT_HOSTS: '127.0.0.1:*' }), {
    rule: { attempts: 2, firstWaitMs: 1, longestWaitMs: 10 },
  });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});
beforeEach(() => {
  server.asked.length = 0;
});

function walk(paging: Paging | undefined, rest: Partial<PagedRequest> = {}): Promise<PagedAnswer> {
  return walkPages(client, {
    ...{ url: new URL('/list?day=1', server.origin), headers: {}, rows: '/items', paging },
    ...{ timeoutMs: 5000, perMinute: 60_000, noData: [], known: undefined },
    ...{ mostPages: 20, mostRows: 100, mostBytes: 1 << 20, ...rest },
  });
}

const CURSOR: Paging = { by: 'cursor', at: '/meta/next', query: 'after' };
const PAGE: Paging = { by: 'page', query: 'page', first: 1, size: 2, size_query: 'per_page' };

/** Seven rows, two on a page. */
const SEVEN = [1, 2, 3, 4, 5, 6, 7];

test('pages by cursor are followed to the last', async () => {
  server.play = (_, response, url) => {
    const from = Number(url.searchParams.get('after') ?? 0);
    const next = from + 2 < SEVEN.length ? `${from + 2}` : null;
    json(response, { items: SEVEN.slice(from, from + 2), meta: { next } }, { etag: `"${from}"` });
  };
  // What the first of several pages says of itself holds for no other.
  expect(await walk(CURSOR)).toEqual({
    kind: 'rows',
    rows: SEVEN,
    pages: 4,
    bytes: expect.any(Number) as number,
  });
  expect(server.asked.map(({ url }) => url)).toEqual([
    '/list?day=1',
    ...[2, 4, 6].map((from) => `/list?day=1&after=${from}`),
  ]);
});

test('pages by number are followed to the short one', async () => {
  server.play = (_, response, url) => {
    const from = (Number(url.searchParams.get('page')) - 1) * 2;
    json(response, { items: SEVEN.slice(from, from + 2) });
  };
  expect(await walk(PAGE)).toMatchObject({ rows: SEVEN, pages: 4 });
  expect(server.asked.at(-1)?.url).toBe('/list?day=1&page=4&per_page=2');
  expect(await walk({ by: 'page', query: 'page', first: 1 })).toMatchObject({ rows: SEVEN, pages: 5 });
});

test('a service that gives fewer rows a page than it was asked for loses none', async () => {
  const pages = (page: number): number[] => SEVEN.slice((page - 1) * 3, page * 3);
  server.play = (_, response, url) => json(response, { items: pages(Number(url.searchParams.get('page'))) });
  expect(await walk({ ...PAGE, size: 100 })).toMatchObject({ rows: SEVEN, pages: 3 });
});

test.each<[string, (page: number) => [number, unknown]]>([
  ['is empty', (page) => [200, { items: page === 1 ? [1, 2] : [] }]],
  ['is not there', (page) => [page === 1 ? 200 : 404, { items: [1, 2] }]],
  ['is the same, as nobody reads its number', () => [200, { items: [1, 2] }]],
])('a short first page is all where the next %s', async (_, answer) => {
  server.play = (__, response, url) => {
    const [status, body] = answer(Number(url.searchParams.get('page')));
    response.writeHead(status, { 'content-type': 'application/json', etag: '"1"' }).end(JSON.stringify(body));
  };
  const walked = await walk({ ...PAGE, size: 100 });
  expect(walked).toMatchObject({ rows: [1, 2] });
  expect(walked).not.toHaveProperty('etag');
  expect(await walk({ ...PAGE, size: 100 }, { mostPages: 1 })).toMatchObject({ rows: [1, 2], pages: 1 });
});

test('a next page that was told of and is gone is a fault, also where 404 means that there is nothing', async () => {
  server.play = (_, response, url) => {
    if (url.searchParams.has('after')) response.writeHead(404).end();
    else json(response, { items: [1], meta: { next: 'b' } });
  };
  await expect(walk(CURSOR, { noData: [404] })).rejects.toThrow(/answered 404/);
});

test('a refusal whose words do not come to an end is told by its status, and asked for once', async () => {
  server.play = (_, response) => void response.writeHead(404).write('no such');
  await expect(walk(undefined, { timeoutMs: 200 })).rejects.toThrow(/answered 404, expected 200/);
  expect(server.asked).toHaveLength(1);
});

test('a first page that is linked to no other keeps no ETag: it does not say whether there is one by now', async () => {
  server.play = (_, response) => json(response, { items: [1] }, { etag: '"1"' });
  expect(await walk({ by: 'link' })).not.toHaveProperty('etag');
  expect(await walk(undefined)).toHaveProperty('etag', '"1"');
});

test('pages by the header Link are followed', async () => {
  server.play = (_, response, url) => {
    const page = Number(url.searchParams.get('page') ?? 1);
    const link =
      page === 3 ? {} : { link: `</list?page=${page + 1}>; rel="next", </list?page=3>; rel="last"` };
    json(response, { items: [page] }, link);
  };
  expect(await walk({ by: 'link' })).toMatchObject({ rows: [1, 2, 3], pages: 3 });
});

test.each<[string, Paging, (page: number) => unknown, RegExp]>([
  [
    'a cursor that comes again',
    CURSOR,
    (page) => ({ items: [page], meta: { next: page % 2 === 0 ? 'a' : 'b' } }),
    /go round in a circle after 3/,
  ],
  [
    'a cursor that stays',
    CURSOR,
    (page) => ({ items: [page], meta: { next: 'a' } }),
    /go round in a circle after 2/,
  ],
  [
    'cursors without end',
    CURSOR,
    (page) => ({ items: [page], meta: { next: `c${page}` } }),
    /more than 20 pages; .* raise max_pages/,
  ],
  [
    'a page number that nobody reads',
    PAGE,
    () => ({ items: [1, 2] }),
    /page 2 of .* is the same as the one before; does it know the parameter page\?/,
  ],
  [
    'a cursor that is none',
    CURSOR,
    () => ({ items: [1], meta: { next: { a: 1 } } }),
    /the cursor at \/meta\/next .* is a mapping/,
  ],
  [
    'a cursor whose last digits are lost',
    CURSOR,
    () => ({ items: [1], meta: { next: 2 ** 53 } }),
    /is a number beyond ±2\^53, .* send it as a text/,
  ],
  [
    'a cursor of a megabyte',
    CURSOR,
    () => ({ items: [1], meta: { next: 'x'.repeat(1 << 19) } }),
    /expected a text of at most 4096/,
  ],
  [
    'rows without end',
    CURSOR,
    (page) => ({ items: Array.from({ length: 60 }, () => page), meta: { next: `c${page}` } }),
    /more than 100 rows for one day/,
  ],
  [
    'bytes without end',
    CURSOR,
    (page) => ({ items: ['x'.repeat(400_000)], meta: { next: `c${page}` } }),
    /is larger than the \d+ bytes that are left of max_bytes/,
  ],
])('%s ends with words', async (_, paging, answer, words) => {
  let page = 0;
  server.play = (__, response) => json(response, answer(page++));
  await expect(walk(paging)).rejects.toThrow(words);
});

test('a next page on another host is refused', async () => {
  server.play = (_, response) =>
    json(response, { items: [1] }, { link: '<https://evil.example/2>; rel=next' });
  await expect(walk({ by: 'link' })).rejects.toThrow(
    /goes on at https:\/\/evil.example, another host, which is not asked/,
  );
  expect(server.asked).toHaveLength(1);
});

test.each<[string, string, string, RegExp]>([
  ['HTML', 'text/html', '<h1>Login</h1>', /is text\/html, expected application\/json/],
  [
    'HTML that says it is JSON',
    'application/json',
    '<h1>Login</h1>',
    /is no JSON, in 14 characters that begin with "<h1>Login<\/h1>"/,
  ],
  ['JSON that is cut off', 'application/json', '{"items":[{"a":1},{"a"', /is no JSON.*nothing was written/],
  ['nothing', 'application/json', '', /is no JSON: it is cut off, in 0 characters/],
  [
    'another shape',
    'application/json',
    '{"data":[],"error":"quota"}',
    /has no list at \/items but nothing \(it has "data", "error"\)/,
  ],
  ['a mapping for a list', 'application/json', '{"items":{"0":1}}', /has no list at \/items but a mapping/],
  ['null', 'application/json', 'null', /has no list at \/items but nothing/],
  ['brackets', 'application/json', '['.repeat(100_000), /is nested deeper than 64 levels/],
  [
    'empty lists',
    'application/json',
    `{"items":[${'[],'.repeat(300_000)}[]]}`,
    /has more than 1800 lists and mappings/,
  ],
])('an answer of %s is refused, and says what was seen', async (_, type, body, words) => {
  server.play = (__, response) => response.writeHead(200, { 'content-type': type }).end(body);
  await expect(walk(undefined)).rejects.toThrow(words);
});

test('an answer that is not UTF-8 is refused', async () => {
  server.play = (_, response) =>
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(Buffer.from('{"items":["\xe9"]}', 'latin1'));
  await expect(walk(undefined)).rejects.toThrow(/is not UTF-8/);
});

test.each([
  [{ a: { 'b/c': [10, 20] } }, '/a/b~1c/1', 20],
  [{ a: 1 }, '', { a: 1 }],
  [{ a: [1] }, '/a/-1', undefined],
  [{ a: [1] }, '/a/length', undefined],
  [{}, '/__proto__', undefined],
  [{}, '/constructor/name', undefined],
  [{ '~': 1 }, '/~0', 1],
])('in %j the pointer %s finds %j', (value, pointer, found) => {
  expect(at(value, pointer)).toEqual(found);
});

test.each([
  ['<https://a/?page=2>; rel="next"', 'https://a/?page=2'],
  ['<https://a/?q=1,2>; rel="prev", </p?x=3>; rel=next', '/p?x=3'],
  ['<https://a/3>; title="a, b"; rel="last next"', 'https://a/3'],
  ['<https://a/3>; rel="last"', undefined],
  ['nonsense', undefined],
  ['', undefined],
])('the next page of Link: %s is %s', (header, next) => {
  expect(nextLink(header)).toBe(next);
});

test('a Link that is made to be slow is read at once', () => {
  const begun = performance.now();
  nextLink(`<a>${'; a=b'.repeat(3000)}`);
  nextLink(`<a>${';'.repeat(15_000)}"`);
  nextLink('<'.repeat(15_000));
  expect(performance.now() - begun).toBeLessThan(1000);
});

test('what is kept of an address has no value that may be secret', () => {
  expect(
    recordedUrl(new URL('https://u:p@a.example/x?day=1&api_key=s3cret&access_token=t&Signature=q')),
  ).toBe('https://a.example/x?day=1&api_key=hidden&access_token=hidden&Signature=hidden');
});
