/** Bounds of what callers may ask, and who they are. */
export interface ApiSettings {
  /** Address that it listens at; 127.0.0.1 unless somebody says otherwise. */
  host: string;
  port: number;
  /** Names that a `Host` header may have besides localhost and addresses; `*`: any. */
  allowedHosts: readonly string[];
  /** Largest body, in bytes. */
  bodyLimit: number;
  /** Most rows in one request. */
  rowLimit: number;
  /** Time within which a request must have arrived as a whole, in ms. */
  requestTimeoutMs: number;
  /** Time that a model may take for an answer, in ms. */
  scoreTimeoutMs: number;
  /** Requests that wait for a model at a time; what comes beyond them is sent away. */
  concurrency: number;
  /** Delay of the event loop from which on requests are sent away, in ms. */
  lagLimitMs: number;
  /** Connections at a time. */
  connections: number;
  /** Keys that callers must have one of, by the name that metrics and limits know them by; empty: none is needed. */
  keys: readonly { name: string; key: string }[];
  /** Requests per second and key (or address, where there are no keys); null: any number. */
  rateLimit: number | null;
  /** Allows `POST /admin/reload`; null: nobody may. */
  adminToken: string | null;
  /** In PEM; null: plain HTTP. */
  tls: { cert: string; key: string } | null;
}

/** Levels of lists and mappings in a body. */
export const MOST_DEPTH = 16;

/** What holds unless a flag or a variable says otherwise. */
export const DEFAULT_API: ApiSettings = {
  host: '127.0.0.1',
  port: 8000,
  allowedHosts: [],
  bodyLimit: 8 << 20,
  rowLimit: 10_000,
  requestTimeoutMs: 10_000,
  scoreTimeoutMs: 10_000,
  concurrency: 256,
  lagLimitMs: 1000,
  connections: 2048,
  keys: [],
  rateLimit: null,
  adminToken: null,
  tls: null,
};
