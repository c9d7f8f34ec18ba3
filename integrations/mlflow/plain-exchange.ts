import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type HttpExchange, type HttpReply, type HttpRequest, type HttpTimeouts, TIMEOUTS } from './exchange';

/** HTTP over Node’s own client: 3 ms to load where undici takes 65, for commands that ask once or twice and end. */
export function plainExchange(timeouts: HttpTimeouts = TIMEOUTS): HttpExchange {
  const plain = new http.Agent({ keepAlive: true });
  const secure = new https.Agent({ keepAlive: true });
  return {
    send: (request) => exchange(request, request.url.protocol === 'https:' ? secure : plain, timeouts),
    close: async () => {
      plain.destroy();
      secure.destroy();
    },
  };
}

function exchange(request: HttpRequest, agent: http.Agent, timeouts: HttpTimeouts): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const { method, url, headers, body, signal } = request;
    const client = url.protocol === 'https:' ? https : http;
    const outgoing = client.request(url, {
      method,
      headers: sized(headers, body),
      agent,
      ...(signal && { signal }),
    });

    let timer = deadline(outgoing, 'connect', timeouts.connectMs);
    outgoing.on('socket', (socket) => {
      const connected = (): void => {
        clearTimeout(timer);
        timer = deadline(outgoing, 'headers', timeouts.headersMs);
      };
      if (socket.connecting) socket.once('connect', connected);
      else connected();
    });
    outgoing.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    outgoing.on('response', (reply) => {
      clearTimeout(timer);
      reply.setTimeout(timeouts.bodyMs, () => reply.destroy(timedOut('body', timeouts.bodyMs)));
      resolve({ status: reply.statusCode ?? 0, header: (name) => first(reply.headers[name]), body: reply });
    });

    if (body instanceof Readable) pipeline(body, outgoing).catch(reject);
    else outgoing.end(body);
  });
}

function sized(headers: Record<string, string>, body: HttpRequest['body']): Record<string, string> {
  if (body === undefined || body instanceof Readable) return headers;
  return { ...headers, 'content-length': String(Buffer.byteLength(body)) };
}

function deadline(outgoing: http.ClientRequest, part: string, ms: number): NodeJS.Timeout {
  return setTimeout(() => outgoing.destroy(timedOut(part, ms)), ms);
}

function timedOut(part: string, ms: number): Error {
  return new Error(`no ${part} within ${ms} ms`);
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
