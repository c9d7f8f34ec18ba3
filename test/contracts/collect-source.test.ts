import { CollectParams } from '../../contracts/collect-params';
import { type RetrainError } from '../../contracts/errors';
import { parseParams } from '../../contracts/parse-params';

const columns = { a: 'text' };

function mistakesOf(source: object): string {
  const raw = { experiment: 'e', model: 'm', data: { path: 'd', target: 'a' } };
  try {
    parseParams({ ...raw, collect: { sources: { orders: source } } }, 'params.yaml');
    return '';
  } catch (error) {
    return (error as RetrainError).message;
  }
}

test.each<[object, RegExp]>([
  [{ columns }, /collect.sources.orders needs a url, for HTTP, or an image, for a container/],
  [{ columns, command: ['x'] }, /or an image, for a container; a command is run in a container only/],
  [
    { columns, url: 'https://e.com', image: 'a' },
    /orders.image is not valid: is for a container, and this source has a url|orders.image is for a container, and this source has a url/,
  ],
  [
    { columns, image: 'a', paging: { by: 'link' } },
    /orders.paging is for a url, and this source has an image/,
  ],
  [{ columns, image: 'a', requests_per_minute: 5 }, /orders.requests_per_minute is for a url/],
  [
    { columns, url: 'https://e.com', network: 'shop' },
    /orders.network is for a container, and this source has a url/,
  ],
  [{ columns, image: 'a', imgae: 'b' }, /unknown key imgae in collect.sources.orders; did you mean image\?/],
  [{ columns, image: 'a', network: 'host' }, /orders.network must not be host/],
  [{ columns, image: 'a', user: '0:0' }, /orders.user must not be root/],
  [{ columns, image: 'a', volumes: ['/var/run/docker.sock:/x'] }, /orders.volumes.0 must not be a socket/],
  [
    { columns, image: 'a', env: ['A=secret'] },
    /orders.env.0 .*must be the name of a variable, without a value/,
  ],
  [{ columns, image: 'a', privileged: true }, /unknown key privileged/],
  [{ columns, image: 'a', past: false, day_column: 'a' }, /orders.day_column is for a source with a past/],
  [{ columns, image: 'a', watermark: { column: 'b' } }, /orders.watermark.column must be one of columns/],
  [
    { columns, image: 'a', params: { long: 'x'.repeat(100_001) } },
    /orders.params must have at most 100,000 characters/,
  ],
])('%j is refused with words', (source, words) => {
  expect(mistakesOf(source)).toMatch(words);
});

test.each([
  { url: 'https://e.com/{day}', columns },
  { image: 'retrain/orders:1', columns, env: ['ORDERS_DSN'], params: { tables: ['a', { b: null }] } },
])('%j with what it leaves out filled in is valid, and stays as it is', (source) => {
  const once = CollectParams.parse({ sources: { orders: source } });
  expect(CollectParams.parse(once)).toEqual(once);
});
