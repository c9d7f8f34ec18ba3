import { request } from 'undici';
import { RetrainError } from '../../contracts/errors';
import { masked } from '../files/secret';
import { beginningOf, connectionReason } from '../files/short-answer';

/** One POST of a notice. */
export interface NoticePost {
  /** Name of the channel, for messages. */
  channel: string;
  /** The variable that holds the URL, for messages. */
  variable: string;
  url: string;
  headers: Record<string, string>;
  body: string;
  /** More that must not show in messages, beside the URL. */
  secrets?: string[];
  signal: AbortSignal;
}

/** A receiver has 10 s: more would outlive the activity that sends. */
const TIMEOUT_MS = 10_000;

/**
 * Posts and expects a 2xx. A redirect is a refusal: a signed or secret request goes only where it was meant to.
 * @throws RetrainError NOTIFIER_FAILED (no answer, 408, 425, 429, 5xx), NOTIFIER_REFUSED (any other answer)
 */
export async function post(notice: NoticePost): Promise<void> {
  const { channel, variable, url, headers, body, signal } = notice;
  const { origin, pathname, search } = new URL(url);
  const hide = (text: string): string =>
    masked(text, [url, `${pathname}${search}`, ...(notice.secrets ?? [])]);
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  let status: number;
  let said: string;
  try {
    const reply = await request(url, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.any([signal, limit]),
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
    status = reply.statusCode;
    said = await beginningOf(reply.body);
  } catch (error) {
    signal.throwIfAborted();
    const why = limit.aborted ? `no answer within ${TIMEOUT_MS / 1000} s` : connectionReason(error);
    // No cause: its own fields may quote the URL.
    throw new RetrainError(
      'NOTIFIER_FAILED',
      `${channel}: ${origin} did not take the notice (${hide(why)}); check ${variable}`,
    );
  }
  if (status >= 200 && status < 300) return;
  const code = status >= 500 || [408, 425, 429].includes(status) ? 'NOTIFIER_FAILED' : 'NOTIFIER_REFUSED';
  const words = hide(said);
  throw new RetrainError(
    code,
    `${channel}: ${origin} answered ${status}${words === '' ? '' : ` (${words})`}, expected 2xx; check ${variable}`,
  );
}
