import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http';
import { connect } from 'node:net';
import { freePort } from '../../client/stack/ports';
import { createWebUiProxy, listenLocally } from '../../client/stack/web-ui-proxy';

/** Stands for the UI: says what it was asked. */
let inner: Server;
let proxy: Server;
let port: number;
let seen: IncomingHttpHeaders[] = [];

beforeAll(async () => {
  inner = createServer((asked, answer) => {
    seen.push(asked.headers);
    answer.writeHead(200, { 'access-control-allow-origin': '*' });
    asked.pipe(answer);
  });
  const innerPort = await freePort();
  await listenLocally(inner, innerPort);
  port = await freePort();
  proxy = createWebUiProxy({ host: '127.0.0.1', port: innerPort });
  await listenLocally(proxy, port);
});
beforeEach(() => (seen = []));
afterAll(() => {
  proxy.close();
  inner.close();
});

function ask(
  method: string,
  headers: Record<string, string>,
  body = '',
): Promise<{ status: number; text: string; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, method, path: '/api/v1/namespaces', headers, agent: false },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers }));
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

const own = (): Record<string, string> => ({ host: `127.0.0.1:${port}` });

describe('a page in the user’s browser', () => {
  test.each<[string, string, Record<string, string>]>([
    [
      'posts without preflight, as a form does',
      'POST',
      { origin: 'http://evil.example', 'content-type': 'text/plain' },
    ],
    ['posts from a sandbox without an origin', 'POST', { origin: 'null' }],
    ['posts from another server of this machine', 'POST', { origin: 'http://localhost:3000' }],
    ['posts over TLS, so that only the scheme differs', 'POST', { origin: 'https://127.0.0.1' }],
    ['posts, and its browser tells only where it is from', 'POST', { 'sec-fetch-site': 'cross-site' }],
    ['posts from another port of this machine', 'POST', { 'sec-fetch-site': 'same-site' }],
    ['reads with fetch', 'GET', { origin: 'http://evil.example' }],
    [
      'asks by a script tag',
      'GET',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
    ],
    [
      'embeds the UI in a frame, to have the user click in it',
      'GET',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    ],
    ['has had its own name turned to 127.0.0.1', 'GET', { host: 'evil.example' }],
    [
      'has had its own name turned to 127.0.0.1, and posts',
      'POST',
      { host: 'evil.example:8233', origin: 'http://evil.example:8233' },
    ],
    ['is of a host whose name begins as ours', 'GET', { host: 'localhost.evil.example' }],
    ['is of a host whose name ends as ours', 'GET', { host: 'evil-localhost' }],
    [
      'asks for a preflight',
      'OPTIONS',
      { origin: 'http://evil.example', 'access-control-request-method': 'POST' },
    ],
  ])('that %s is refused', async (_what, method, headers) => {
    const { status, text } = await ask(method, { ...own(), ...headers }, 'start a workflow');
    expect({ status, text }).toEqual({
      status: 403,
      text: expect.stringMatching(/^Temporal's Web UI does not answer, as .*\.\n$/) as string,
    });
    expect(seen).toEqual([]);
  });

  test('that asks to switch to a WebSocket finds the line closed', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    let answer = '';
    socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(answer).toBe('');
    expect(seen).toEqual([]);
  });
});

describe('the UI’s own pages', () => {
  test.each<[string, string, Record<string, string>]>([
    ['read', 'GET', { 'sec-fetch-site': 'same-origin' }],
    ['are opened from the address bar', 'GET', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
    [
      'are opened by a link in a chat',
      'GET',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    ],
    ['are asked for by a program', 'GET', {}],
  ])('%s', async (_what, method, headers) => {
    const { status, headers: answered } = await ask(method, { ...own(), ...headers });
    expect(status).toBe(200);
    expect(answered).toMatchObject({ 'x-frame-options': 'SAMEORIGIN' });
    expect(answered).not.toHaveProperty('access-control-allow-origin');
  });

  test('start a workflow; the UI behind sees nothing of who asked', async () => {
    const headers = { ...own(), origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin' };
    expect(await ask('POST', headers, 'a workflow')).toMatchObject({ status: 200, text: 'a workflow' });
    expect(seen[0]).not.toHaveProperty('origin');
    expect(seen[0]?.host).not.toBe(`127.0.0.1:${port}`);
  });

  test('are found by the name localhost, over a tunnel with another port, too', async () => {
    expect((await ask('GET', { host: 'localhost:9000' })).status).toBe(200);
  });
});
