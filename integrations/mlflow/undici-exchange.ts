import { Agent, request } from 'undici';
import { type HttpExchange, type HttpTimeouts, TIMEOUTS } from './exchange';

/** HTTP over undici, with kept-alive connections: for workers and servers. */
export function undiciExchange(timeouts: HttpTimeouts = TIMEOUTS): HttpExchange {
  const agent = new Agent({
    connect: { timeout: timeouts.connectMs },
    headersTimeout: timeouts.headersMs,
    bodyTimeout: timeouts.bodyMs,
    // uvicorn closes idle connections after 5 s; we let go first, so that no request meets a closing socket.
    keepAliveTimeout: 3_000,
    connections: 32,
  });
  return {
    async send({ method, url, headers, body, signal }) {
      const reply = await request(url, {
        dispatcher: agent,
        method,
        headers,
        body: body ?? null,
        ...(signal === undefined ? {} : { signal }),
      });
      return {
        status: reply.statusCode,
        header: (name) => {
          const value = reply.headers[name];
          return Array.isArray(value) ? value[0] : value;
        },
        body: reply.body,
      };
    },
    close: () => agent.destroy(),
  };
}
