import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Guard } from '../../../serving/api/guard';
import { openApi, type OpenedApi } from './open-api';

const ROW = { method: 'POST', url: '/predict', payload: { size: 1 } } as const;

let opened: OpenedApi | undefined;
afterEach(async () => {
  await opened?.app.close();
  opened = undefined;
});

it.each([
  ['localhost', 200],
  ['localhost:8000', 200],
  ['127.0.0.1:8000', 200],
  ['[::1]:8000', 200],
  ['10.1.2.3:8000', 200],
  ['evil.example', 403],
  ['evil.example:8000', 403],
  ['localhost.evil.example', 403],
])('answers a request for the host %s with %i', async (host, status) => {
  opened = await openApi();
  expect((await opened.app.inject({ ...ROW, headers: { host } })).statusCode).toBe(status);
});

it('answers by a name that the operator allows', async () => {
  opened = await openApi({ allowedHosts: ['models.example'] });
  expect((await opened.app.inject({ ...ROW, headers: { host: 'Models.example:443' } })).statusCode).toBe(200);
});

it.each([
  [{ 'sec-fetch-site': 'cross-site' }, 403],
  [{ 'sec-fetch-site': 'same-origin', origin: 'http://localhost:80' }, 200],
  [{ origin: 'http://evil.example' }, 403],
  [{ origin: 'null' }, 403],
])('takes no request from other pages: %j', async (headers, status) => {
  opened = await openApi();
  const response = await opened.app.inject({ ...ROW, headers: { host: 'localhost:80', ...headers } });
  expect(response.statusCode).toBe(status);
  expect(response.headers['access-control-allow-origin']).toBeUndefined();
});

it('sends headers that keep an answer from being anything but an answer', async () => {
  opened = await openApi();
  for (const response of [await opened.app.inject(ROW), await opened.app.inject('/nothing')]) {
    expect(response.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    });
  }
});

it('wants a key where keys are set, but of probes', async () => {
  opened = await openApi({
    keys: [
      { name: 'ann', key: 'ann-secret' },
      { name: 'bob', key: 'bob-secret' },
    ],
  });
  const status = async (headers: Record<string, string>) =>
    (await opened?.app.inject({ ...ROW, headers }))?.statusCode;
  expect(await status({})).toBe(401);
  expect(await status({ 'x-api-key': 'ann-secre' })).toBe(401);
  expect(await status({ 'x-api-key': 'ann-secret' })).toBe(200);
  expect(await status({ authorization: 'Bearer bob-secret' })).toBe(200);
  for (const url of ['/', '/live', '/ready', '/health', '/ping', '/v2/health/ready'])
    expect((await opened.app.inject(url)).statusCode).toBe(200);
  for (const url of ['/metrics', '/model/info', '/v2/models/sizes', '/openapi.json', '/docs'])
    expect({ url, status: (await opened.app.inject(url)).statusCode }).toEqual({ url, status: 401 });
});

it.each<[string, string, number]>([
  ['with any name', 'anybody:ann-secret', 200],
  ['without a name', ':ann-secret', 200],
  ['with a colon in it', 'ann:a:b', 200],
  ['that is another', 'ann:ann-secre', 401],
  ['that is none', 'ann-secret', 401],
])('takes a key as a password, as a browser sends it: one %s', async (_, pair, status) => {
  opened = await openApi({
    keys: [
      { name: 'ann', key: 'ann-secret' },
      { name: 'odd', key: 'a:b' },
    ],
  });
  const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
  const response = await opened.app.inject({ ...ROW, headers: { authorization } });
  expect(response.statusCode).toBe(status);
  // Where it is refused, a browser asks again.
  expect(response.headers['www-authenticate']).toEqual(
    status === 200 ? undefined : ['Basic realm="retrain", charset="UTF-8"', 'Bearer'],
  );
  const document = await opened.app.inject({
    url: '/openapi.json',
    headers: { 'x-api-key': 'ann-secret' },
  });
  expect(document.json()).toMatchObject({
    security: [{ key: [] }, { bearer: [] }, { basic: [] }],
    paths: { '/live': { get: { security: [] } } },
  });
});

const listening = async (settings: Parameters<typeof openApi>[0]): Promise<string> => {
  opened = await openApi(settings);
  await opened.app.listen({ host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${(opened.app.server.address() as AddressInfo).port}`;
};

it('answers 429 with Retry-After above the rate of a key, over HTTP, and counts tries without one', async () => {
  const keys = ['a', 'b'].map((key) => ({ name: key, key }));
  const url = await listening({ rateLimit: 0.01, keys });
  const ask = async (key: string): Promise<[number, string | null]> => {
    const response = await fetch(`${url}/model/info`, { headers: { 'x-api-key': key } });
    return [response.status, response.headers.get('retry-after')];
  };
  expect(await ask('a')).toEqual([200, null]);
  const [status, after] = await ask('a');
  expect(status).toBe(429);
  expect(Number(after)).toBeGreaterThan(50);
  expect(await ask('b')).toEqual([200, null]);
  expect((await ask('guess'))[0]).toBe(401);
  expect((await ask('another guess'))[0]).toBe(429);
  // Probes are not counted.
  for (let i = 0; i < 5; i++) expect((await fetch(`${url}/live`)).status).toBe(200);
});

it('has no more connections than it may, and takes another when one has ended', async () => {
  const url = await listening({ connections: 2 });
  const { port } = new URL(url);
  const held = [connect(Number(port), '127.0.0.1'), connect(Number(port), '127.0.0.1')];
  await Promise.all(held.map((socket) => once(socket, 'connect')));
  const answered = (): Promise<number> =>
    new Promise((resolve) => {
      request(`${url}/live`, { agent: false }, (reply) => resolve(reply.resume().statusCode ?? 0))
        .on('error', () => resolve(0))
        .end();
    });
  // The server hears of the two a moment later than they do.
  while ((await answered()) !== 0);
  held[0]?.destroy();
  while ((await answered()) !== 200);
  held[1]?.destroy();
});

it('lets nobody reload where no admin token is set', async () => {
  opened = await openApi();
  const response = await opened.app.inject({
    method: 'POST',
    url: '/admin/reload',
    headers: { authorization: 'Bearer ' },
  });
  expect(response.statusCode).toBe(403);
  expect(response.json()).toMatchObject({
    detail: expect.stringContaining('RETRAIN_API_ADMIN_TOKEN') as string,
  });
});

it('counts the rate of each key by itself', () => {
  let now = 0;
  const guard = new Guard(
    {
      allowedHosts: [],
      adminToken: null,
      rateLimit: 2,
      keys: [
        { name: 'ann', key: 'a' },
        { name: 'bob', key: 'b' },
      ],
    },
    () => now,
  );
  const ask = (key: string): void =>
    guard.admit('POST', '/predict', { host: 'localhost', 'x-api-key': key }, '10.0.0.1');
  ask('a');
  ask('a');
  expect(() => ask('a')).toThrow('more than 2 requests a second');
  ask('b');
  now = 500;
  ask('a');
  expect(() => ask('a')).toThrow('try again in 1 s');
});

it('gives up on a request that does not arrive, and goes on with others', async () => {
  opened = await openApi({ requestTimeoutMs: 300 });
  await opened.app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = opened.app.server.address() as AddressInfo;
  const slow = connect(port, '127.0.0.1');
  slow.write(
    'POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"size"',
  );
  const [head] = (await once(slow, 'data')) as [Buffer];
  expect(head.toString()).toContain('408');
  slow.destroy();
  expect((await opened.app.inject(ROW)).statusCode).toBe(200);
});

it('answers what came before it closes', async () => {
  const { SmallModel } = await import('../small-model.js');
  let finish: () => void = () => undefined;
  const waits = new Promise<void>((resolve) => (finish = resolve));
  const model = new SmallModel({ later: (answers) => waits.then(() => answers) });
  opened = await openApi({}, model);
  await opened.app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = opened.app.server.address() as AddressInfo;
  const asked = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path: '/predict',
    headers: { 'content-type': 'application/json' },
  });
  asked.end('{"size": 1}');
  while (model.scored === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  const closed = opened.app.close();
  finish();
  const [response] = (await once(asked, 'response')) as [{ statusCode?: number; resume(): void }];
  response.resume();
  expect(response.statusCode).toBe(200);
  await closed;
});
