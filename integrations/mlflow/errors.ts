import { type ErrorCode, RetrainError } from '../../contracts/errors';

/** What the server answered, beside the message. */
export interface MlflowAnswer {
  /** HTTP status; undefined when there was no answer at all. */
  status?: number;
  /** MLflow’s own code, such as RESOURCE_ALREADY_EXISTS. */
  serverCode?: string;
  /** Its wish in the header Retry-After, in ms. */
  retryAfterMs?: number;
}

/**
 * An MLflow request that failed: MLFLOW_UNREACHABLE (no answer), MLFLOW_BUSY (429, 5xx or a broken body),
 * MLFLOW_REFUSED (any other refusal) or NOT_FOUND (the thing asked for is not there).
 */
export class MlflowError extends RetrainError {
  readonly status: number | undefined;
  readonly serverCode: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, answer: MlflowAnswer, options?: { cause?: unknown }) {
    super(code, message, options);
    this.status = answer.status;
    this.serverCode = answer.serverCode;
    this.retryAfterMs = answer.retryAfterMs;
  }
}

/** Whether the server said that a thing of that name exists already. */
export function alreadyExists(error: unknown): boolean {
  return error instanceof MlflowError && error.serverCode === 'RESOURCE_ALREADY_EXISTS';
}

/** Whether the server said that there is no such thing. */
export function notFound(error: unknown): boolean {
  return error instanceof MlflowError && error.code === 'NOT_FOUND';
}

const RETRYABLE_STATUS = new Set([408, 425, 429, 500, 502, 503, 504]);

/** The error for a status ≥ 400. `what` is the method and the URL without credentials and query. */
export function refusal(
  what: string,
  status: number,
  body: string,
  retryAfterMs: number | undefined,
): MlflowError {
  const { serverCode, message } = serverMessage(body);
  const answer: MlflowAnswer = {
    status,
    ...(serverCode === undefined ? {} : { serverCode }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  const said = `${what}: MLflow answered ${status}${message === '' ? '' : ` (${message})`}`;
  if (RETRYABLE_STATUS.has(status) || collided(serverCode, message)) {
    return new MlflowError('MLFLOW_BUSY', `${said}; look at the server’s log`, answer);
  }
  if (serverCode === 'RESOURCE_DOES_NOT_EXIST') return new MlflowError('NOT_FOUND', said, answer);
  return new MlflowError('MLFLOW_REFUSED', `${said}; ${nextStep(status, serverCode, message)}`, answer);
}

/**
 * Two writers of the same rows met in the server’s database (a late attempt and its successor); MLflow calls that a bad
 * request. The loser’s repetition finds the rows written.
 */
function collided(serverCode: string | undefined, message: string): boolean {
  return serverCode === 'BAD_REQUEST' && /IntegrityError|UniqueViolation|DeadlockDetected/.test(message);
}

function nextStep(status: number, serverCode: string | undefined, message: string): string {
  if (status === 403 && /host header|allowed[- ]hosts/i.test(message)) {
    return 'start the server with --allowed-hosts naming this host';
  }
  if (status === 401 || status === 403) {
    return 'check MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD or MLFLOW_TRACKING_TOKEN';
  }
  if (status === 404 || status === 405)
    return 'check that MLFLOW_TRACKING_URI is the address of an MLflow server';
  if (status === 413) return 'raise the size limit of the proxy before the server';
  return serverCode === undefined
    ? 'check that MLFLOW_TRACKING_URI is the address of an MLflow server'
    : 'correct what the server names';
}

/** The error for a 2xx whose body is no JSON: a proxy’s or a login page. */
export function notMlflow(what: string, status: number, contentType: string): MlflowError {
  return new MlflowError(
    'MLFLOW_REFUSED',
    `${what}: expected JSON, got ${contentType === '' ? 'no content type' : contentType}; check that MLFLOW_TRACKING_URI is the address of an MLflow server`,
    { status },
  );
}

/** The error for a 2xx whose JSON is cut off or not of the expected shape. */
export function brokenBody(what: string, status: number, problem: string, cause: unknown): MlflowError {
  return new MlflowError(
    'MLFLOW_BUSY',
    `${what}: the answer cannot be read (${problem}); look at the server’s log`,
    { status },
    { cause },
  );
}

/** The error for a connection that failed or timed out. `what` is the method and the URL without credentials and query. */
export function unreachable(what: string, cause: unknown): MlflowError {
  const reason = networkReason(cause);
  const server = /^\S+ (\S+?)(?:\/api\/|\/ajax-api\/|$)/.exec(what)?.[1];
  const message =
    server !== undefined && NO_SERVER.test(reason)
      ? `no MLflow server answers at ${server} (${reason}); start one with \`retrain up\`, or correct MLFLOW_TRACKING_URI`
      : `${what}: ${reason}; start the server (\`retrain up\`) or correct MLFLOW_TRACKING_URI`;
  return new MlflowError('MLFLOW_UNREACHABLE', message, {}, { cause });
}

/** Reasons for which no request got as far as a server: which one it was tells nobody anything. */
const NO_SERVER = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT/;

/** Of several addresses tried, Node’s error has the reason in its code alone. */
function networkReason(cause: unknown): string {
  const { message = '', code = '' } = cause as { message?: string; code?: string };
  const text = oneLine(message) || 'the connection failed';
  return code === '' || text.includes(code) ? text : `${text} (${code})`;
}

function serverMessage(body: string): { serverCode?: string; message: string } {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null) {
      const code = 'error_code' in parsed ? parsed.error_code : undefined;
      const text = 'message' in parsed ? parsed.message : 'detail' in parsed ? parsed.detail : '';
      return {
        ...(typeof code === 'string' ? { serverCode: code } : {}),
        message: oneLine(typeof text === 'string' ? text : JSON.stringify(text)),
      };
    }
  } catch {
    // Not JSON: an HTML or text page, of which the words are enough.
  }
  return {
    message: oneLine(
      body
        .replace(/<(style|script|title)[^>]*>[^]*?<\/\1>/gi, ' ')
        .replace(/<[^>]*>/g, ' ')
        .replace(/\s+/g, ' '),
    ),
  };
}

/** First line’s worth of a text, at most 300 characters. MLflow appends SQL and stack traces after a line feed. */
function oneLine(text: string): string {
  const line = text.trim().split('\n')[0] ?? '';
  const flat = line.replace(/\s+/g, ' ').trim();
  return flat.length <= 300 ? flat : `${flat.slice(0, 299)}…`;
}
