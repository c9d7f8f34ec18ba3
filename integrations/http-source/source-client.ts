import { type Dispatcher, request } from 'undici';
import { RetrainError } from '../../contracts/errors';
import { retryAfterMs, type RetryRule, withRetries } from '../files/retry';
import { masked } from '../files/secret';
import { beginningOf, connectionReason } from '../files/short-answer';
import { answerBody, tooLarge } from './answer-body';
import { guardedAgent, requireAllowed, type Resolve } from './guarded-agent';
import { Pacer } from './pacer';
import { type CollectSettings, keyFor } from './settings';
import { shownUrl, SourceFault } from './source-fault';

/** One GET of a source. */
export interface SourceRequest {
  url: URL;
  headers: Readonly<Record<string, string>>;
  auth?:
    | { env: string; header?: string | undefined; query?: string | undefined; prefix?: string | undefined }
    | undefined;
  /** For one answer, in ms. */
  timeoutMs: number;
  /** Of the answer, unpacked. */
  mostBytes: number;
  perMinute: number;
  /** Statuses that mean that there is nothing. */
  noData: readonly number[];
  /** What an earlier answer said of itself: if it holds still, there is nothing new. */
  known?: { etag?: string | undefined; lastModified?: string | undefined } | undefined;
  signal?: AbortSignal | undefined;
}

export type SourceAnswer =
  | { kind: 'unchanged' }
  /** There is nothing of what was asked for. */
  | { kind: 'nothing' }
  | {
      kind: 'body';
      /** Where it came from, after redirects; without the key. */
      url: URL;
      body: Buffer;
      contentType: string;
      etag: string | undefined;
      lastModified: string | undefined;
      link: string | undefined;
    };

export interface SourceClientOptions {
  /** Of one request. */
  rule?: RetryRule;
  resolve?: Resolve;
  /** Epoch ms; for Retry-After, and the space between requests. */
  clock?: () => number;
}

/** Asks HTTP sources, within what the environment allows. */
export interface SourceClient {
  /**
   * Follows redirects within its host; tries again what may pass, and never what was refused.
   *
   * @throws RetrainError SOURCE_NOT_ALLOWED, SOURCE_UNREACHABLE, SOURCE_REFUSED, SOURCE_INVALID, CONFIG_INVALID for a key that is not set
   */
  ask(request: SourceRequest): Promise<SourceAnswer>;
  close(): Promise<void>;
}

/** Half a minute of trouble, or a minute that a source asks for, is ridden out; longer, the next attempt or the next day makes up for. */
const RULE: RetryRule = { attempts: 5, firstWaitMs: 1_000, longestWaitMs: 60_000 };
const MOST_REDIRECTS = 3;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
/** Statuses that say: not now. */
const PASSING: readonly number[] = [408, 425, 429];

export function createSourceClient(
  settings: CollectSettings,
  options: SourceClientOptions = {},
): SourceClient {
  const { rule = RULE, clock = Date.now } = options;
  const agent = guardedAgent(settings.hosts, options.resolve);
  const pacer = new Pacer(clock);
  return {
    ask: (asked) =>
      withRetries(
        {
          rule,
          mayPass: (error) => error instanceof SourceFault,
          askedWaitMs: (error) => (error instanceof SourceFault ? (error.retryAfterMs ?? 0) : 0),
          signal: asked.signal,
        },
        () => follow(settings, agent, pacer, clock, asked),
      ),
    close: () => agent.destroy(),
  };
}

async function follow(
  settings: CollectSettings,
  agent: Dispatcher,
  pacer: Pacer,
  clock: () => number,
  asked: SourceRequest,
): Promise<SourceAnswer> {
  let { url } = asked;
  for (let hops = 0; ; hops++) {
    requireAllowed(settings.hosts, url);
    const key = asked.auth === undefined ? undefined : keyFor(settings, asked.auth.env, url).reveal();
    await pacer.turn(url.origin, asked.perMinute, asked.signal);
    const answer = await exchange(agent, clock, { ...asked, url }, key);
    if (!(answer instanceof URL)) return answer;
    if (hops === MOST_REDIRECTS) {
      throw new RetrainError(
        'SOURCE_REFUSED',
        `${shownUrl(asked.url)} redirects more than ${MOST_REDIRECTS} times; correct the url`,
      );
    }
    url = answer;
  }
}

/** @returns the answer, or where it redirects to */
async function exchange(
  agent: Dispatcher,
  clock: () => number,
  asked: SourceRequest,
  key: string | undefined,
): Promise<SourceAnswer | URL> {
  const { url, timeoutMs, mostBytes, signal } = asked;
  const shown = shownUrl(url);
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const reply = await request(keyed(asked, key), {
      dispatcher: agent,
      method: 'GET',
      headers: headersOf(asked, key),
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    // A body that is dropped ends with an error, which is nobody's to hear: unheard, it would end the process.
    reply.body.on('error', () => undefined);
    const header = (name: string): string | undefined => {
      const value = reply.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    };
    const { statusCode: status } = reply;
    if (status !== 200) {
      // Its status is known: that its words do not come to an end is no other fault.
      const said = await beginningOf(reply.body).catch(() => '');
      signal?.throwIfAborted();
      if (status === 304 && asked.known !== undefined) return { kind: 'unchanged' };
      if (status === 204 || asked.noData.includes(status)) return { kind: 'nothing' };
      if (REDIRECTS.includes(status)) return target(asked, header('location'), status);
      throw refusal(
        shown,
        status,
        masked(said, key === undefined ? [] : [key]),
        retryAfterMs(header('retry-after'), clock()),
      );
    }
    if (Number(header('content-length')) > mostBytes) {
      reply.body.destroy();
      throw tooLarge(`the answer of ${shown}`, mostBytes);
    }
    const body = await answerBody(
      reply.body,
      header('content-encoding'),
      mostBytes,
      `the answer of ${shown}`,
    );
    return {
      ...{ kind: 'body', url, body, contentType: header('content-type') ?? '' },
      ...{ etag: header('etag'), lastModified: header('last-modified'), link: header('link') },
    };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof RetrainError) throw error;
    const why = limit.aborted ? `no whole answer within ${timeoutMs / 1000} s` : connectionReason(error);
    // No cause: its own fields may quote the key.
    throw new SourceFault(
      `${shown}: ${masked(why, key === undefined ? [] : [key])}; see whether the source is up, and its url`,
      undefined,
    );
  }
}

function headersOf({ headers, auth, known }: SourceRequest, key: string | undefined): Record<string, string> {
  const sent: Record<string, string> = {
    accept: 'application/json',
    'user-agent': 'retrain',
    ...headers,
    'accept-encoding': 'gzip',
  };
  if (known?.etag !== undefined) sent['if-none-match'] = known.etag;
  if (known?.lastModified !== undefined) sent['if-modified-since'] = known.lastModified;
  if (auth?.header === undefined || key === undefined) return sent;
  const prefix = auth.prefix ?? (auth.header.toLowerCase() === 'authorization' ? 'Bearer ' : '');
  return { ...sent, [auth.header.toLowerCase()]: `${prefix}${key}` };
}

function keyed({ url, auth }: SourceRequest, key: string | undefined): URL {
  if (auth?.query === undefined || key === undefined) return url;
  const secret = new URL(url);
  secret.searchParams.set(auth.query, `${auth.prefix ?? ''}${key}`);
  return secret;
}

/** Within the host, and to no less safe a scheme or another port. */
function target({ url, auth }: SourceRequest, location: string | undefined, status: number): URL {
  const shown = shownUrl(url);
  if (location === undefined || !URL.canParse(location, url.href)) {
    throw new RetrainError(
      'SOURCE_REFUSED',
      `${shown} answered ${status} and does not say where to; correct the url`,
    );
  }
  const to = new URL(location, url);
  const isUpgrade = url.protocol === 'http:' && to.protocol === 'https:' && url.port === '' && to.port === '';
  if (to.hostname === url.hostname && (to.origin === url.origin || isUpgrade)) {
    to.username = '';
    to.password = '';
    // It may have sent the key back.
    if (auth?.query !== undefined) to.searchParams.delete(auth.query);
    return to;
  }
  throw new RetrainError(
    'SOURCE_REFUSED',
    `${shown} redirects to ${to.origin.slice(0, 100)}, another host, which is not asked; if that is where the data are now, put it into the url`,
  );
}

function refusal(shown: string, status: number, said: string, waitMs: number | undefined): RetrainError {
  const what = `${shown} answered ${status}${said === '' ? '' : ` (${said})`}`;
  if (status >= 500 || PASSING.includes(status)) {
    const wait = waitMs === undefined ? '' : `, and asks for ${Math.ceil(waitMs / 1000)} s`;
    return new SourceFault(`${what}${wait}; the next collection makes up for it`, waitMs);
  }
  const hint =
    status === 401 || status === 403
      ? 'check its key: auth in params.yaml, and the variable that it names'
      : 'correct the url; if it means that there is nothing of that day, list it in no_data';
  return new RetrainError('SOURCE_REFUSED', `${what}, expected 200; ${hint}`);
}
