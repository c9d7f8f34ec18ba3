import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { refusal } from './web-ui-guard';

/** Where the UI itself listens. */
export interface WebUiTarget {
  host: string;
  port: number;
}

/** Of one connection to the next only (RFC 9110, 7.6.1); and what would tell the UI that somebody else asks. */
const NOT_PASSED_ON = ['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade', 'origin', 'referer'];

/**
 * What people open as Temporal's Web UI: passes on to it what `refusal` lets through. The UI's pages ask by plain requests, and
 * no WebSocket is passed on.
 */
export function createWebUiProxy(target: WebUiTarget): Server {
  return createServer((asked, answer) => {
    const why = refusal(asked.method ?? 'GET', asked.headers);
    if (why === null) passOn(asked, answer, target);
    else say(answer, 403, `Temporal's Web UI does not answer, as ${why}.`);
  }).on('upgrade', (_request, socket) => socket.destroy());
}

function passOn(asked: IncomingMessage, answer: ServerResponse, { host, port }: WebUiTarget): void {
  const { method, url } = asked;
  const headers = Object.fromEntries(
    Object.entries(asked.headers).filter(
      ([name]) => !NOT_PASSED_ON.includes(name) && !name.startsWith('sec-fetch-'),
    ),
  );
  const inner = request({ host, port, method, path: url, headers: { ...headers, host: `${host}:${port}` } });
  inner.on('response', (response) => {
    const shown = Object.entries(response.headers).filter(
      ([name]) => !NOT_PASSED_ON.includes(name) && !name.startsWith('access-control-'),
    );
    answer.writeHead(response.statusCode ?? 502, {
      ...Object.fromEntries(shown),
      'x-frame-options': 'SAMEORIGIN',
    });
    response.pipe(answer);
    response.on('error', () => answer.destroy());
  });
  inner.on('error', () => {
    if (answer.headersSent) answer.destroy();
    else say(answer, 502, 'Temporal does not answer; see `retrain doctor`.');
  });
  answer.on('close', () => inner.destroy());
  asked.pipe(inner);
}

function say(answer: ServerResponse, status: number, text: string): void {
  answer.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

/** Listens on the loopback interface; resolves once it does. */
export function listenLocally(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1' }, () => resolve());
  });
}
