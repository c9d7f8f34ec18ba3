import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const SERVER = join(__dirname, '../../examples/card-prices/server.mjs');

interface Page {
  date: string;
  rows: { card_id: string; price: number }[];
  next_cursor: string | null;
}

describe('the price service of the card example', () => {
  let child: ChildProcess;
  let address = '';
  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${address}${path}`, { headers: { 'x-api-key': 'secret', ...headers } });

  beforeAll(async () => {
    child = spawn(process.execPath, [SERVER, '--key', 'secret', '--days', '40'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout! });
    [address] = (await once(lines, 'line')) as [string];
  });
  afterAll(async () => {
    child.kill();
    await once(child, 'exit');
  });

  test('tells a day in pages', async () => {
    const rows: Page['rows'] = [];
    let cursor: string | null = '';
    for (let page = 0; cursor !== null; page++) {
      expect(page).toBeLessThan(4);
      const reply = await get(`/v1/prices/2026-01-31${cursor === '' ? '' : `?cursor=${cursor}`}`);
      expect(reply.status).toBe(200);
      const body = (await reply.json()) as Page;
      expect(body.date).toBe('2026-01-31');
      rows.push(...body.rows);
      cursor = body.next_cursor;
    }
    expect(rows.length).toBeGreaterThan(140);
    expect(new Set(rows.map(({ card_id }) => card_id)).size).toBe(rows.length);
  });

  test('knows what its caller has already', async () => {
    const first = await get('/v1/prices/2026-01-05');
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"\w+"$/);
    const again = await get('/v1/prices/2026-01-05', { 'if-none-match': etag });
    expect([again.status, await again.text()]).toEqual([304, '']);
    expect((await get('/v1/prices/2026-01-06', { 'if-none-match': etag })).status).toBe(200);
  });

  test('answers nobody without the key, and has no prices of a silent day or of one that is not over', async () => {
    expect((await fetch(`${address}/v1/prices/2026-01-05`)).status).toBe(401);
    expect(((await (await get('/v1/prices/2026-02-03')).json()) as Page).rows).toEqual([]);
    expect((await get('/v1/prices/2026-02-10')).status).toBe(404);
    expect((await get('/v1/prices/2026-02-31')).status).toBe(400);
    expect((await get('/v1/prices/%zz')).status).toBe(400);
    expect((await get('/v1/prices/2026-01-05?cursor=zzzz')).status).toBe(400);
    expect(await (await get('/v1/days')).json()).toEqual({
      first: '2026-01-01',
      last: '2026-02-09',
      days: 40,
    });
  });
});
