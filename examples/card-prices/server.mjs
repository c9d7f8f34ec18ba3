#!/usr/bin/env node
/**
 * A price service to collect from, on this machine alone: what market.mjs makes, as JSON over HTTP. Plain Node.
 *
 * node examples/card-prices/server.mjs [--port 0] [--key card-key] [--days 180] [--page 60] [--seed 151] [--start 2026-01-01]
 * [--shift 90:level=1.3]…
 *
 *   GET /v1/prices/2026-01-31[?cursor=…]   {"date", "rows": […], "next_cursor": "…" | null}; an ETag; 304 for If-None-Match
 *   GET /v1/days                           {"first", "last", "days"}
 *
 * Every request needs the header X-Api-Key. A day that is not over yet (--days and later) is a 404, one without prices an empty
 * list. The first line that it prints is its address; it listens on 127.0.0.1 only.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { createMarket, parseShift } from './market.mjs';

const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** @param options.market of createMarket; @param options.days how many of its days are over */
function priceService({ market, key, days, page }) {
  const answer = (request, response, status, body) => {
    const text = `${JSON.stringify(body)}\n`;
    const etag = `"${createHash('sha256').update(text).digest('hex').slice(0, 32)}"`;
    const known = status === 200 && request.headers['if-none-match']?.split(/\s*,\s*/).includes(etag);
    response.writeHead(known ? 304 : status, {
      'content-type': 'application/json; charset=utf-8',
      ...(status === 200 ? { etag, 'cache-control': 'no-cache' } : {}),
    });
    response.end(known || request.method === 'HEAD' ? undefined : text);
  };

  const prices = (date, cursor) => {
    const day = DATE.test(date) ? market.dayOf(date) : Number.NaN;
    if (Number.isNaN(day) || market.dateOf(day) !== date) return [400, { error: `${date} is no date` }];
    if (day < 0 || day >= days) return [404, { error: `there are no prices of ${date}` }];
    const from = cursor === null ? 0 : Number(Buffer.from(cursor, 'base64url').toString('latin1'));
    const rows = market.rowsOf(day);
    if (!Number.isInteger(from) || from < 0 || from > rows.length)
      return [400, { error: 'the cursor is none' }];
    const to = from + page;
    const next = to < rows.length ? Buffer.from(String(to)).toString('base64url') : null;
    return [200, { date, rows: rows.slice(from, to), next_cursor: next }];
  };

  return createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return answer(request, response, 405, { error: 'expected GET' });
    }
    if (request.headers['x-api-key'] !== key) {
      return answer(request, response, 401, { error: 'the header X-Api-Key is missing or wrong' });
    }
    if (url.pathname === '/v1/days') {
      return answer(request, response, 200, {
        first: market.dateOf(0),
        last: days === 0 ? null : market.dateOf(days - 1),
        days,
      });
    }
    const [, date] = /^\/v1\/prices\/([^/]+)$/.exec(url.pathname) ?? [];
    if (date === undefined) return answer(request, response, 404, { error: `there is no ${url.pathname}` });
    return answer(request, response, ...prices(decoded(date), url.searchParams.get('cursor')));
  });
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function whole(name, text, least = 0) {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new RangeError(`--${name} must be a whole number of at least ${least}, got ${text}`);
}

function main() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      key: { type: 'string', default: process.env['CARD_PRICES_API_KEY'] || 'card-key' },
      days: { type: 'string', default: '180' },
      page: { type: 'string', default: '60' },
      seed: { type: 'string', default: '151' },
      start: { type: 'string', default: '2026-01-01' },
      shift: { type: 'string', multiple: true, default: [] },
    },
  });
  const market = createMarket({
    seed: whole('seed', values.seed),
    start: values.start,
    shifts: values.shift.map(parseShift),
  });
  const server = priceService({
    market,
    key: values.key,
    days: whole('days', values.days),
    page: whole('page', values.page, 1),
  });
  server.on('error', (error) => {
    console.error(`cannot listen on 127.0.0.1:${values.port}: ${error.message}`);
    process.exitCode = 1;
  });
  server.listen(whole('port', values.port), '127.0.0.1', () => {
    console.log(`http://127.0.0.1:${server.address().port}`);
  });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      server.close();
      server.closeAllConnections();
    });
  }
}

try {
  main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
