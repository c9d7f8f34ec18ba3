import { type LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { RetrainError } from '../../../contracts/errors';
import { type Resolve } from '../../../integrations/http-source/guarded-agent';
import { collectSettings } from '../../../integrations/http-source/settings';
import {
  createSourceClient,
  type SourceAnswer,
  type SourceClient,
  type SourceRequest,
} from '../../../integrations/http-source/source-client';
import { json, SourceServer } from './source-server';

const server = new SourceServer();
let client: SourceClient;
const KEY = 'a-very-secret-key';
const RULE = { attempts: 3, firstWaitMs: 1, longestWaitMs: 1500 };

beforeAll(async () => {
  await server.start();
  client = createSourceClient(
    collectSettings({
      RETRAIN_COLLECT_HOSTS: '127.0.0.1:*',
      RETRAIN_COLLECT_ENV: `THE_KEY@127.0.0.1:${server.port}`,
      THE_KEY: KEY,
      OTHER_SECRET: 'never to be sent',
    }),
    { rule: RULE },
  );
});
afterAll(async () => {
  await client.close();
  await server.stop();
});
beforeEach(() => {
  server.asked.length = 0;
});

function ask(rest: Partial<SourceRequest> = {}, by = client): Promise<SourceAnswer> {
  return by.ask({
    ...{ url: new URL('/rows', server.origin), headers: {}, timeoutMs: 5000, mostBytes: 1 << 20 },
    ...{ perMinute: 60_000, noData: [], ...rest },
  });
}

async function refusal(rest: Partial<SourceRequest> = {}, by = client): Promise<RetrainError> {
  try {
    await ask(rest, by);
  } catch (error) {
    if (error instanceof RetrainError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a source that is in trouble', () => {
  test('is asked again after 500 and 429, never sooner than it asks for', async () => {
    const replies = [
      { status: 500, headers: {} },
      { status: 429, headers: { 'retry-after': '1' } },
    ];
    const times: number[] = [];
    server.play = (_, response) => {
      times.push(performance.now());
      const reply = replies.shift();
      if (reply === undefined) json(response, [1]);
      else response.writeHead(reply.status, reply.headers).end();
    };
    expect(await ask()).toMatchObject({ kind: 'body' });
    expect(times).toHaveLength(3);
    // A timer may fire a millisecond early.
    expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(998);
  });

  test('is left alone when it asks for longer than we wait, and says so', async () => {
    server.play = (_, response) => response.writeHead(503, { 'retry-after': '3600' }).end('maintenance');
    const { code, message } = await refusal();
    expect(code).toBe('SOURCE_UNREACHABLE');
    expect(message).toMatch(/answered 503 \(maintenance\), and asks for 3600 s/);
    expect(server.asked).toHaveLength(1);
  });

  test('is never asked again after 4xx', async () => {
    server.play = (_, response) => response.writeHead(403).end('no');
    expect(await refusal()).toMatchObject({
      code: 'SOURCE_REFUSED',
      message: expect.stringMatching(/answered 403 \(no\).*check its key/) as string,
    });
    expect(server.asked).toHaveLength(1);
  });

  test('that is slow is given up within its time', async () => {
    server.play = (_, response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).write('[');
    const begun = performance.now();
    expect((await refusal({ timeoutMs: 100 })).message).toContain('no whole answer within 0.1 s');
    expect(performance.now() - begun).toBeLessThan(4000);
  });

  test('that drops the connection, or ends before it said it would, is asked again', async () => {
    let times = 0;
    server.play = (_, response) => {
      times++;
      if (times === 1) response.destroy();
      else if (times === 2) {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
        response.write('[1');
        setTimeout(() => response.destroy(), 5);
      } else json(response, [1]);
    };
    expect(await ask()).toMatchObject({ kind: 'body' });
    expect(times).toBe(3);
  });

  test('ends at once when the collection is cancelled', async () => {
    server.play = () => undefined;
    const cancel = new AbortController();
    const asking = ask({ signal: cancel.signal });
    setTimeout(() => cancel.abort(new Error('cancelled')), 20);
    await expect(asking).rejects.toThrow('cancelled');
  });
});

describe('an answer', () => {
  test('without end is dropped at its bound', async () => {
    let sent = 0;
    server.play = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const chunk = Buffer.alloc(64 << 10, ' ');
      const more = (): void => {
        if (response.destroyed) return;
        sent += chunk.length;
        response.write(chunk, more);
      };
      more();
    };
    expect(await refusal({ mostBytes: 1 << 20 })).toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining('is larger than the 1048576 bytes') as string,
    });
    expect(sent).toBeLessThan(64 << 20);
  });

  test('that says that it has 2 GB is not begun', async () => {
    server.play = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(2 ** 31) });
      response.write('[');
    };
    expect((await refusal()).message).toContain('raise max_bytes');
  });

  test('that unpacks to more is dropped as soon as it does', async () => {
    const bomb = gzipSync(Buffer.alloc(200 << 20, '['));
    expect(bomb.length).toBeLessThan(1 << 20);
    server.play = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bomb);
    };
    expect((await refusal()).message).toContain('is larger than');
  });

  test('that is packed is unpacked; what is only said to be is refused', async () => {
    server.play = (_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('[1]'));
    const answer = await ask();
    expect(answer.kind === 'body' && answer.body.toString()).toBe('[1]');
    server.play = (_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('[1]').subarray(0, 15));
    expect((await refusal()).message).toContain('is not gzip all through');
    server.play = (_, response) => response.writeHead(200, { 'content-encoding': 'zip-of-doom' }).end('x');
    expect((await refusal()).message).toContain('is packed as zip-of-doom, expected gzip or nothing');
  });

  test('with headers without end is refused', async () => {
    server.play = (_, response) => response.writeHead(200, { 'x-filler': 'x'.repeat(30_000) }).end('[]');
    expect((await refusal()).code).toBe('SOURCE_UNREACHABLE');
  });
});

describe('a redirect', () => {
  test('within the host is followed, and brings no key back in its address', async () => {
    server.play = (request, response) => {
      if (request.url?.startsWith('/rows') === true)
        response.writeHead(302, { location: `/moved${request.url.slice(5)}` }).end();
      else json(response, [1]);
    };
    const answer = await ask({ auth: { env: 'THE_KEY', query: 'token' } });
    expect(answer.kind === 'body' && answer.url.href).toBe(`${server.origin}/moved`);
    expect(server.asked.map(({ url }) => url)).toEqual([`/rows?token=${KEY}`, `/moved?token=${KEY}`]);
  });

  test.each([
    'http://localhost:1/x',
    'https://evil.example/x',
    '//evil.example/x',
    'http://169.254.169.254/latest/meta-data',
    'file:///etc/passwd',
    'http://',
  ])('to %s is refused, and nothing is sent there', async (location) => {
    server.play = (_, response) => response.writeHead(302, { location }).end();
    expect((await refusal()).code).toBe('SOURCE_REFUSED');
    expect(server.asked).toHaveLength(1);
  });

  test('in a circle ends', async () => {
    server.play = (_, response) => response.writeHead(302, { location: '/rows' }).end();
    expect((await refusal()).message).toContain('redirects more than 3 times');
  });
});

describe('a key', () => {
  test('goes into the header that is named, with its prefix', async () => {
    server.play = (_, response) => json(response, []);
    await ask({ auth: { env: 'THE_KEY', header: 'Authorization' } });
    await ask({ auth: { env: 'THE_KEY', header: 'X-Api-Key' } });
    expect(server.asked.map(({ headers }) => headers.authorization ?? headers['x-api-key'])).toEqual([
      `Bearer ${KEY}`,
      KEY,
    ]);
  });

  test.each(['OTHER_SECRET', 'PATH', 'NOT_SET'])(
    'of the variable %s, which nobody listed, is not sent',
    async (env) => {
      expect(await refusal({ auth: { env, header: 'X-Api-Key' } })).toMatchObject({
        code: 'SOURCE_NOT_ALLOWED',
      });
      expect(server.asked).toHaveLength(0);
    },
  );

  test('goes to its own host only, though others may be asked', async () => {
    const other = new SourceServer();
    await other.start();
    const { code, message } = await refusal({
      url: new URL(other.origin),
      auth: { env: 'THE_KEY', header: 'X-Api-Key' },
    });
    expect([code, other.asked.length]).toEqual(['SOURCE_NOT_ALLOWED', 0]);
    expect(message).toContain(`may not go to 127.0.0.1:${other.port}`);
    await other.stop();
  });

  test('goes nowhere in public unencrypted', async () => {
    const settings = {
      RETRAIN_COLLECT_HOSTS: 'api.example.com',
      RETRAIN_COLLECT_ENV: 'K@api.example.com',
      K: KEY,
    };
    const public_ = createSourceClient(collectSettings(settings), { rule: RULE });
    const error = await refusal(
      { url: new URL('http://api.example.com/'), auth: { env: 'K', query: 'key' } },
      public_,
    );
    expect(error.message).toContain('would go to api.example.com unencrypted; use https://');
    await public_.close();
  });

  test('is in no message, whatever the source says', async () => {
    server.play = (request, response) =>
      response.writeHead(400).end(`bad key ${KEY} in ${request.url ?? ''}`);
    const { message } = await refusal({ auth: { env: 'THE_KEY', query: 'key' } });
    expect(message).toContain('bad key [secret]');
    expect(message).not.toContain(KEY);
  });
});

describe('an address', () => {
  const at =
    (...answers: string[]): Resolve =>
    (_, __, done) => {
      const address = answers.length > 1 ? answers.shift()! : answers[0]!;
      done(null, [{ address, family: address.includes(':') ? 6 : 4 } satisfies LookupAddress]);
    };
  const clientOf = (hosts: string, resolve: Resolve): SourceClient =>
    createSourceClient(collectSettings({ RETRAIN_COLLECT_HOSTS: hosts }), {
      rule: { ...RULE, attempts: 1 },
      resolve,
    });

  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '192.168.0.9',
    '100.64.0.1',
    '0.0.0.0',
    '::1',
    'fd00:ec2::254',
    '::ffff:10.0.0.1',
    'fe80::1',
  ])('that a listed name is at is refused when it is %s', async (address) => {
    const one = clientOf('prices.example.com:*', at(address));
    const { code, message } = await refusal({ url: new URL('http://prices.example.com:9/') }, one);
    expect([code, message.includes(`is at ${address}, which is an address of this machine`)]).toEqual([
      'SOURCE_NOT_ALLOWED',
      true,
    ]);
    await one.close();
  });

  test('is looked at each time that it is connected to, so that a name may not change it', async () => {
    server.play = (_, response) => void json(response, [], { connection: 'close' });
    const one = clientOf(`prices.example.com:*,127.0.0.1`, at('127.0.0.1', '169.254.169.254'));
    const url = new URL(`http://prices.example.com:${server.port}/`);
    expect(await ask({ url }, one)).toMatchObject({ kind: 'body' });
    expect((await refusal({ url }, one)).message).toContain('is at 169.254.169.254');
    await one.close();
  });

  test('of one’s own network may be asked when the network is listed', async () => {
    server.play = (_, response) => json(response, []);
    const one = clientOf('prices.internal:*, 127.0.0.0/8', at('127.0.0.1'));
    expect(await ask({ url: new URL(`http://prices.internal:${server.port}/`) }, one)).toMatchObject({
      kind: 'body',
    });
    await one.close();
  });

  test.each([
    'http://127.0.0.1/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://169.254.169.254/latest',
    'http://other.example/',
    'http://prices.example.com:22/',
    'http://sub.prices.example.com/',
    'http://localhost/',
  ])('%s is not asked where only a name is listed', async (url) => {
    const one = clientOf('prices.example.com', at('93.184.215.14'));
    expect((await refusal({ url: new URL(url) }, one)).code).toBe('SOURCE_NOT_ALLOWED');
    await one.close();
  });

  test.each(['http://127.0.0.1/', 'http://[::1]/', 'http://169.254.169.254/', 'http://localhost/'])(
    '%s is not asked where all hosts of the internet are',
    async (url) => {
      const one = clientOf('*', at('127.0.0.1'));
      expect((await refusal({ url: new URL(url) }, one)).code).toBe('SOURCE_NOT_ALLOWED');
      await one.close();
    },
  );

  test('is asked by nobody who has listed nothing', async () => {
    const one = clientOf('', at('93.184.215.14'));
    expect((await refusal({ url: new URL('https://api.example.com/') }, one)).message).toContain(
      'add api.example.com to RETRAIN_COLLECT_HOSTS',
    );
    await one.close();
  });
});

test('what speaks no HTTP is told as such', async () => {
  const sockets: Socket[] = [];
  const raw = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.end('220 mail.example.com ESMTP\r\n');
  });
  raw.listen(0, '127.0.0.1');
  await once(raw, 'listening');
  const url = new URL(`http://127.0.0.1:${(raw.address() as AddressInfo).port}/`);
  expect((await refusal({ url })).code).toBe('SOURCE_UNREACHABLE');
  sockets.forEach((socket) => socket.destroy());
  raw.close();
});

test('requests are spaced as the source wants', async () => {
  server.play = (_, response) => json(response, []);
  const begun = performance.now();
  for (let at = 0; at < 4; at++) await ask({ perMinute: 1200, url: new URL('/spaced', server.origin) });
  // Three waits of 50 ms; a timer may fire a millisecond early.
  expect(performance.now() - begun).toBeGreaterThanOrEqual(145);
});

test.each([
  ['RETRAIN_COLLECT_HOSTS', 'https://api.example.com'],
  ['RETRAIN_COLLECT_HOSTS', '10.0.0.0/99'],
  ['RETRAIN_COLLECT_HOSTS', 'a.example:http'],
  ['RETRAIN_COLLECT_ENV', 'PRICES_API_KEY'],
  ['RETRAIN_COLLECT_ENV', 'KEY@*'],
  ['RETRAIN_COLLECT_ENV', 'KEY@'],
])('%s=%s is refused with words', (name, value) => {
  expect(() => collectSettings({ [name]: value })).toThrow(new RegExp(`^${name} has .*, expected `));
});

test('a key that is no header is refused, and not shown', () => {
  const env = { RETRAIN_COLLECT_ENV: 'K@a.example', K: 'line\nbreak' };
  expect(() => collectSettings(env)).toThrow(
    'K, which RETRAIN_COLLECT_ENV names, is no key: expected printable ASCII on one line',
  );
});
