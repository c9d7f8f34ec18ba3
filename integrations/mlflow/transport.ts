import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { z } from 'zod';
import { type RetryRule } from '../files/retry';
import { PATIENT, retryAfterMs, retryRequest } from './backoff';
import { brokenBody, MlflowError, notMlflow, refusal, unreachable } from './errors';
import type { HttpExchange, HttpReply, HttpRequest } from './exchange';
import type { MlflowSettings } from './settings';

/** How one call is made. */
export interface RequestOptions {
  /** Ends the call; its reason is then thrown as it is. */
  signal?: AbortSignal | undefined;
}

type Method = HttpRequest['method'];

/** MLflow’s REST API: JSON in, checked JSON out, with bounded retries. Every error is an `MlflowError`. */
export class MlflowTransport {
  constructor(
    readonly settings: MlflowSettings,
    private readonly http: HttpExchange,
    readonly rule: RetryRule = PATIENT,
  ) {}

  /** GET `/api/2.0/mlflow/<path>` with a query. */
  get<S extends z.ZodType>(
    path: string,
    query: Record<string, string>,
    schema: S,
    options: RequestOptions = {},
  ): Promise<z.output<S>> {
    return this.call('GET', `/api/2.0/mlflow/${path}`, query, undefined, schema, options);
  }

  /** POST a JSON body to `/api/2.0/mlflow/<path>`. */
  post<S extends z.ZodType>(
    path: string,
    body: object,
    schema: S,
    options: RequestOptions = {},
  ): Promise<z.output<S>> {
    return this.call('POST', `/api/2.0/mlflow/${path}`, {}, body, schema, options);
  }

  /** Any other method with a JSON body or query on a whole path below the tracking URI. */
  async call<S extends z.ZodType>(
    method: Method,
    path: string,
    query: Record<string, string>,
    body: object | undefined,
    schema: S,
    options: RequestOptions = {},
  ): Promise<z.output<S>> {
    const url = this.url(path, query);
    const what = `${method} ${withoutQuery(url)}`;
    return retryRequest(this.rule, options.signal, async () => {
      const reply = await this.exchange(what, {
        method,
        url,
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      return parsed(what, reply, schema, options.signal);
    });
  }

  /**
   * PUT raw bytes. `open` is called for each attempt, so that a stream starts over.
   * @param sizeBytes sent as Content-Length
   */
  async put(
    path: string,
    open: () => Uint8Array | Readable,
    sizeBytes: number,
    options: RequestOptions = {},
  ): Promise<void> {
    const url = this.url(path, {});
    const what = `PUT ${withoutQuery(url)}`;
    await retryRequest(this.rule, options.signal, async () => {
      const reply = await this.exchange(what, {
        method: 'PUT',
        url,
        headers: { 'content-type': 'application/octet-stream', 'content-length': String(sizeBytes) },
        body: open(),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      await bodyText(what, reply, options.signal);
    });
  }

  /**
   * GET raw bytes: `consume` reads the body to its end, and starts over when called again after a broken
   * connection.
   */
  async read<T>(
    path: string,
    consume: (body: Readable, sizeBytes: number | undefined) => Promise<T>,
    options: RequestOptions = {},
  ): Promise<T> {
    const url = this.url(path, {});
    const what = `GET ${withoutQuery(url)}`;
    return retryRequest(this.rule, options.signal, async () => {
      const reply = await this.exchange(what, {
        method: 'GET',
        url,
        headers: {},
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      const length = reply.header('content-length');
      const body = Readable.from(tagged(what, reply.body, options.signal), { objectMode: false });
      return consume(body, length === undefined ? undefined : Number(length));
    });
  }

  /**
   * The same connections, each request sent once. For steps around a create that would make two things when repeated: their
   * caller repeats the whole step, look-up first, and so finds what a lost answer had made.
   */
  once(): MlflowTransport {
    return new MlflowTransport(this.settings, this.http, { ...this.rule, attempts: 1 });
  }

  close(): Promise<void> {
    return this.http.close();
  }

  private url(path: string, query: Record<string, string>): URL {
    const url = new URL(`${this.settings.uri}${path}`);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    return url;
  }

  /** Sends it; throws for anything but a 2xx. */
  private async exchange(what: string, request: HttpRequest): Promise<HttpReply> {
    const { signal } = request;
    const headers = { ...request.headers, ...this.settings.headers() };
    let reply: HttpReply;
    try {
      reply = await this.http.send({ ...request, headers });
    } catch (error) {
      signal?.throwIfAborted();
      throw unreachable(what, error);
    }
    if (reply.status >= 200 && reply.status < 300) return reply;
    const body = await bodyText(what, reply, signal);
    throw refusal(what, reply.status, body, retryAfterMs(reply.header('retry-after')));
  }
}

async function parsed<S extends z.ZodType>(
  what: string,
  reply: HttpReply,
  schema: S,
  signal: AbortSignal | undefined,
): Promise<z.output<S>> {
  const body = await bodyText(what, reply, signal);
  const contentType = reply.header('content-type') ?? '';
  // MLflow sends its JSON as application/json, and now and then without a type.
  if (/html|xml/.test(contentType)) throw notMlflow(what, reply.status, contentType);
  let json: unknown;
  try {
    json = JSON.parse(body === '' ? '{}' : body);
  } catch (error) {
    throw brokenBody(what, reply.status, 'no valid JSON', error);
  }
  const checked = schema.safeParse(json);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  throw new MlflowError(
    'MLFLOW_REFUSED',
    `${what}: the answer has an unexpected shape (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}); check that the server is MLflow 2.9 or later`,
    { status: reply.status },
    { cause: checked.error },
  );
}

/** The body’s chunks. A broken connection is an MlflowError, so it is told from the reader’s own faults, a full disk. */
async function* tagged(
  what: string,
  body: Readable,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) yield chunk as Uint8Array;
  } catch (error) {
    signal?.throwIfAborted();
    throw unreachable(what, error);
  }
}

async function bodyText(what: string, reply: HttpReply, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await text(reply.body);
  } catch (error) {
    signal?.throwIfAborted();
    throw unreachable(what, error);
  }
}

function withoutQuery(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
