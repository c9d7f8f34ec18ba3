import { inspect } from 'node:util';
import { RetrainError } from '../../contracts/errors';

/**
 * Address and credentials of an MLflow server. The secret is a private field: `String()`, `util.inspect`,
 * `JSON.stringify`, loggers and error messages show the address only.
 */
export class MlflowSettings {
  readonly #authorization: string | undefined;

  /**
   * @param uri base address without credentials and without a trailing slash, `https://dagshub.com/me/iris.mlflow`
   * @param authorization value of the Authorization header, if the server wants one
   */
  constructor(
    readonly uri: string,
    authorization?: string,
  ) {
    this.#authorization = authorization;
  }

  /** Whether requests carry credentials. */
  get authenticated(): boolean {
    return this.#authorization !== undefined;
  }

  /** Headers that every request needs. Holds the secret: hand it to the HTTP client and to nothing else. */
  headers(): Record<string, string> {
    return this.#authorization === undefined ? {} : { authorization: this.#authorization };
  }

  toString(): string {
    return this.uri;
  }

  toJSON(): { uri: string; authenticated: boolean } {
    return { uri: this.uri, authenticated: this.authenticated };
  }

  [inspect.custom](): string {
    return `MlflowSettings(${this.uri}${this.authenticated ? ', with credentials' : ''})`;
  }
}

/**
 * Reads MLFLOW_TRACKING_URI, MLFLOW_TRACKING_USERNAME with MLFLOW_TRACKING_PASSWORD, or
 * MLFLOW_TRACKING_TOKEN. As in MLflow’s own client, a username with a password wins over a token; both win
 * over `user:password@` in the URI.
 *
 * @param fallbackUri used when MLFLOW_TRACKING_URI is unset or empty: the embedded server’s address
 * @throws RetrainError CONFIG_INVALID
 */
export function mlflowSettings(
  env: Record<string, string | undefined>,
  fallbackUri?: string,
): MlflowSettings {
  const raw = env['MLFLOW_TRACKING_URI'] || fallbackUri;
  if (!raw) {
    throw new RetrainError(
      'CONFIG_INVALID',
      'MLFLOW_TRACKING_URI is not set, expected the http address of an MLflow server; run `retrain up` for a local one',
    );
  }
  const url = httpUrl(raw);
  const fromUri =
    url.username === ''
      ? undefined
      : basic(decodeURIComponent(url.username), decodeURIComponent(url.password));
  const base = `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  return new MlflowSettings(base, credentials(env) ?? fromUri);
}

function credentials(env: Record<string, string | undefined>): string | undefined {
  const username = env['MLFLOW_TRACKING_USERNAME'];
  const password = env['MLFLOW_TRACKING_PASSWORD'];
  const token = env['MLFLOW_TRACKING_TOKEN'];
  if (username && password) return basic(username, password);
  return token ? `Bearer ${token}` : undefined;
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

/** The value is not quoted when it cannot be parsed: it may hold a password. */
function httpUrl(raw: string): URL {
  // A lone % would fail later, when the password is decoded.
  const url = URL.canParse(raw) && !/%(?![0-9a-f]{2})/i.test(raw) ? new URL(raw) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  const seen = url === undefined ? 'no URL' : `a ${url.protocol} URL`;
  throw new RetrainError(
    'CONFIG_INVALID',
    `MLFLOW_TRACKING_URI is ${seen}, expected http:// or https:// with the address of an MLflow server; start one with \`retrain up\``,
  );
}
