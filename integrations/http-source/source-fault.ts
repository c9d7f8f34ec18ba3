import { RetrainError } from '../../contracts/errors';

/** A fault of a source that may pass: no answer, 429, 5xx. */
export class SourceFault extends RetrainError {
  constructor(
    message: string,
    /** What it asked us to wait, in ms. */
    readonly retryAfterMs: number | undefined,
    options?: { cause?: unknown },
  ) {
    super('SOURCE_UNREACHABLE', message, options);
  }
}

/** An address as messages and records show it: its query may hold what is secret. */
export const shownUrl = ({ origin, pathname }: URL): string => `${origin}${pathname}`.slice(0, 200);

/** What may be secret, by its name. */
const SECRET = /key|token|secret|passw|pwd|sig|auth|credential|session/i;

/** As `shownUrl`, with a query: what is kept beside the data. Values of what may be secret are hidden. */
export function recordedUrl(url: URL): string {
  const query = new URL(url).searchParams;
  for (const name of [...query.keys()]) if (SECRET.test(name)) query.set(name, 'hidden');
  const text = query.toString();
  return `${url.origin}${url.pathname}${text === '' ? '' : `?${text}`}`.slice(0, 1000);
}
