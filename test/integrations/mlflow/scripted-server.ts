import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What the server does with one request, its body already read. */
export type Act = (response: ServerResponse, request: IncomingMessage, body: string) => void;

export interface ScriptedServer {
  uri: string;
  /** `GET /path?query`, in order. */
  requests: string[];
  headers: IncomingMessage['headers'][];
  bodies: string[];
  /** The next requests get these, one each; the last goes on for ever. */
  script(...acts: Act[]): void;
  close(): Promise<void>;
}

export const json =
  (status: number, value: unknown, headers: Record<string, string> = {}): Act =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));

export const page =
  (status: number, html: string): Act =>
  (response) =>
    response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(html);

/** Cuts the connection without a word. */
export const reset: Act = (response) => response.socket?.resetAndDestroy();

/** Promises more bytes than it sends, and cuts the connection. */
export const cutOff =
  (status: number, start: string): Act =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': start.length + 10 });
    response.write(start, () => response.socket?.destroy());
  };

/** Sends the head and a first byte, then nothing. */
export const stalled: Act = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{');
};

/** Never answers. */
export const silent: Act = () => undefined;

/** A real HTTP server on 127.0.0.1 that misbehaves as told. */
export async function scriptedServer(): Promise<ScriptedServer> {
  let acts: Act[] = [];
  const requests: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    headers.push(request.headers);
    const act = acts.length > 1 ? acts.shift() : acts[0];
    void text(request).then((body) => {
      bodies.push(body);
      act?.(response, request, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    headers,
    bodies,
    script(...next) {
      acts = next;
      for (const list of [requests, headers, bodies]) list.length = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
