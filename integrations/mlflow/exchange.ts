import type { Readable } from 'node:stream';

/** One HTTP request. */
export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: URL;
  headers: Record<string, string>;
  body?: string | Uint8Array | Readable;
  /** Ends the request; the promise then rejects with whatever the implementation throws. */
  signal?: AbortSignal;
}

/** The answer’s head; the body streams. It must be read to its end or destroyed. */
export interface HttpReply {
  status: number;
  /** A header by its lower-case name; the first value when repeated. */
  header(name: string): string | undefined;
  body: Readable;
}

/** Limits of one exchange, in ms. */
export interface HttpTimeouts {
  connectMs: number;
  /** From the request’s last byte to the answer’s head. */
  headersMs: number;
  /** Between two chunks of the answer’s body. */
  bodyMs: number;
}

/**
 * Reasons: 5 s to connect on any network; 30 s because a fresh MLflow server is 3–5 times slower than usual
 * in its first 20 s; bodies stall only when something is broken.
 */
export const TIMEOUTS: HttpTimeouts = { connectMs: 5_000, headersMs: 30_000, bodyMs: 30_000 };

/**
 * The one thing asked of an HTTP client: send, and close at the end. Two implementations: `undiciExchange` for
 * processes that stay, `plainExchange` for a command’s one or two requests (it loads in a tenth of the time).
 * Every failure to get an answer is thrown as it comes; any status is an answer.
 */
export interface HttpExchange {
  send(request: HttpRequest): Promise<HttpReply>;
  close(): Promise<void>;
}
