import { createHash, timingSafeEqual } from 'node:crypto';
import { type IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { Problem } from './problem';
import { type ApiSettings } from './settings';

/** Requests that change nothing. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What probes ask, who have no key. */
const OPEN = new Set(['/', '/live', '/ready', '/health', '/ping', '/v2/health/live', '/v2/health/ready']);

/** Callers that a rate is counted for at a time; the one that has been quiet longest is forgotten. */
const MOST_CALLERS = 10_000;

/** Who may ask: by name of the host, by page, by key, and how often. */
export class Guard {
  readonly #hosts: ReadonlySet<string>;
  readonly #keys: readonly { name: string; digest: Buffer }[];
  readonly #admin: Buffer | null;
  readonly #rate: number | null;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(
    settings: Pick<ApiSettings, 'allowedHosts' | 'keys' | 'adminToken' | 'rateLimit'>,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#hosts = new Set(['localhost', ...settings.allowedHosts.map((host) => host.toLowerCase())]);
    this.#keys = settings.keys.map(({ name, key }) => ({ name, digest: digestOf(key) }));
    this.#admin = settings.adminToken === null ? null : digestOf(settings.adminToken);
    this.#rate = settings.rateLimit;
  }

  /**
   * Lets a request in, or throws.
   *
   * @param path of its route: `/predict`
   * @throws Problem 403 for a name that is not ours, or another page; 401 without a key; 429 above the rate
   */
  admit(method: string, path: string, headers: IncomingHttpHeaders, address: string): void {
    this.#requireHost(headers.host ?? headers[':authority']?.toString() ?? '');
    requireOwnPage(method, headers);
    if (OPEN.has(path)) return;
    const caller = this.#keys.length === 0 ? address : this.#callerOf(headers, address);
    if (this.#rate !== null) this.#requireRate(caller, this.#rate);
  }

  /** @throws Problem 403 without a token in the settings, 401 for another one */
  requireAdmin(headers: IncomingHttpHeaders): void {
    if (this.#admin === null) {
      throw new Problem(
        403,
        'no-admin',
        'nobody may do this: set RETRAIN_API_ADMIN_TOKEN where the API runs, then send it as `Authorization: Bearer …`',
      );
    }
    const given = headers['x-admin-token'] ?? bearerOf(headers) ?? '';
    if (!timingSafeEqual(digestOf(String(given)), this.#admin)) {
      throw new Problem(
        401,
        'admin-token',
        'this needs the admin token, as `X-Admin-Token: …` or `Authorization: Bearer …`',
      );
    }
  }

  /** A page whose own name was turned to this machine's address (DNS rebinding) names itself; no page can have an address as its name. */
  #requireHost(host: string): void {
    const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
    if (this.#hosts.has(name) || this.#hosts.has('*') || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0) return;
    throw new Problem(
      403,
      'host',
      `it was asked for as ${JSON.stringify(host.slice(0, 100))}; allow that name with --allowed-hosts or RETRAIN_API_ALLOWED_HOSTS`,
    );
  }

  #callerOf(headers: IncomingHttpHeaders, address: string): string {
    const given = headers['x-api-key'] ?? bearerOf(headers) ?? basicPasswordOf(headers);
    if (given !== undefined) {
      const digest = digestOf(String(given));
      let found: string | undefined;
      // All of them, so that time does not tell which.
      for (const key of this.#keys) if (timingSafeEqual(digest, key.digest)) found = key.name;
      if (found !== undefined) return found;
    }
    // Whoever tries keys is counted, too.
    if (this.#rate !== null) this.#requireRate(`without a key: ${address}`, this.#rate);
    throw new Problem(
      401,
      'key',
      `${given === undefined ? 'no' : 'an unknown'} API key; send one as \`X-API-Key: …\` or \`Authorization: Bearer …\`, or in a browser as the password`,
    );
  }

  /** A bucket that holds a second's worth, and fills evenly. */
  #requireRate(caller: string, rate: number): void {
    const now = this.now();
    const most = Math.max(1, rate);
    const bucket = this.#buckets.get(caller) ?? { tokens: most, at: now };
    bucket.tokens = Math.min(most, bucket.tokens + ((now - bucket.at) / 1000) * rate);
    bucket.at = now;
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size > MOST_CALLERS) this.#buckets.delete(this.#buckets.keys().next().value ?? '');
    if (bucket.tokens < 1) {
      const retryAfter = Math.ceil((1 - bucket.tokens) / rate);
      throw new Problem(429, 'rate', `more than ${rate} requests a second; try again in ${retryAfter} s`, {
        retryAfter,
      });
    }
    bucket.tokens--;
  }
}

/** Browsers say whose page asks in headers that no page can set; see client/stack/web-ui-guard.ts. */
function requireOwnPage(method: string, headers: IncomingHttpHeaders): void {
  if (SAFE.has(method)) return;
  const site = headers['sec-fetch-site'];
  const { origin } = headers;
  const foreign =
    site === undefined
      ? origin !== undefined && !ownOrigin(origin, headers.host)
      : site !== 'same-origin' && site !== 'none';
  if (foreign)
    throw new Problem(
      403,
      'origin',
      'another page sent the request; the API takes none from other sites (CORS is off)',
    );
}

function ownOrigin(origin: string, host: string | undefined): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

function bearerOf({ authorization }: IncomingHttpHeaders): string | undefined {
  return authorization === undefined ? undefined : /^Bearer +(\S+)$/i.exec(authorization)?.[1];
}

/** The password of HTTP Basic (RFC 7617): what a browser asks its reader for, and sends with all that its page asks for. */
function basicPasswordOf({ authorization }: IncomingHttpHeaders): string | undefined {
  const encoded = authorization === undefined ? null : /^Basic +([\w+/=-]+)$/i.exec(authorization);
  if (encoded === null) return undefined;
  const pair = Buffer.from(encoded[1] ?? '', 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon === -1 ? undefined : pair.slice(colon + 1);
}

/** How a caller says who it is, for a 401 of this kind: a header each. A browser asks its reader for a password where it reads `Basic`. */
export function challengesOf(code: string): string[] {
  return code === 'key' ? ['Basic realm="retrain", charset="UTF-8"', 'Bearer'] : ['Bearer'];
}

/** Of equal length, whatever was given: so the comparison takes the same time. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

/** Headers of every answer that is no page. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};
