import { randomUUID } from 'node:crypto';
import { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { type FastifyRequest } from 'fastify';

/** What an id may hold: nothing that a log, a header or JSON would have to escape. */
const ID = /^[\w.:-]{1,128}$/;

/** The caller's own `X-Request-ID`, where it is one that can be kept; else a new one. */
export function requestIdOf({
  headers,
}: Pick<IncomingMessage, 'headers'> | { headers: IncomingHttpHeaders }): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && ID.test(given) ? given : randomUUID();
}

/** `X-Request-Key`: who a canary's share is drawn by, such as a customer's number. Bounded. */
export function requestKey({ headers }: FastifyRequest): string | undefined {
  const key = headers['x-request-key'];
  return typeof key === 'string' ? key.slice(0, 200) : undefined;
}
