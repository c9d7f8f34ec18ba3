import { createHash } from 'node:crypto';
import { type SentMessageInfo } from 'nodemailer';
import { listed, RetrainError } from '../../contracts/errors';
import type { Notice } from '../../contracts/notice';
import type { NoticeChannel } from './channel';
import { plainText } from './notice-text';
import { masked } from '../files/secret';
import type { NoticeSettings } from './settings';

/** Each step of the SMTP dialogue has 10 s: more would outlive the activity that sends. */
const TIMEOUT_MS = 10_000;

/** E-mail over SMTP, plain text. Message-ID comes from the notice’s id: mail clients show a repetition once. */
export function emailChannel({ smtp, to, from }: NonNullable<NoticeSettings['email']>): NoticeChannel {
  return {
    name: 'email',
    async send(notice, signal) {
      signal.throwIfAborted();
      const { createTransport } = await import('nodemailer');
      const transport = createTransport({
        url: smtp.reveal(),
        connectionTimeout: TIMEOUT_MS,
        greetingTimeout: TIMEOUT_MS,
        socketTimeout: TIMEOUT_MS,
        dnsTimeout: TIMEOUT_MS,
      });
      const mail = {
        from,
        to,
        subject: `[retrain] ${notice.title.replace(/\s+/g, ' ')}`,
        text: plainText(notice),
        date: new Date(notice.at),
        messageId: messageId(notice, from),
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Retrain-Notice': notice.kind },
        // A title or reason is text and never a file or URL to fetch.
        disableFileAccess: true,
        disableUrlAccess: true,
      };
      try {
        requireAll(await abortable(transport.sendMail(mail), signal));
      } catch (error) {
        signal.throwIfAborted();
        throw error instanceof RetrainError ? error : failure(error, smtp.reveal());
      } finally {
        transport.close();
      }
    },
  };
}

/** What nodemailer throws. */
interface SMTPError {
  message: string;
  /** The server’s answer; absent when there was none. */
  responseCode: number;
}

function messageId(notice: Notice, from: string): string {
  const name = createHash('sha256').update(notice.id).digest('hex').slice(0, 32);
  const domain = /@([^\s@>]+)>?$/.exec(from)?.[1] ?? 'retrain.invalid';
  return `<retrain-${name}@${domain}>`;
}

/** Some addresses were taken, some not: sending again would tell the former twice, so it is a refusal. */
function requireAll(info: SentMessageInfo): void {
  const rejected = info.rejected ?? [];
  if (rejected.length === 0) return;
  throw new RetrainError(
    'NOTIFIER_REFUSED',
    `email: the server refused ${listed(rejected)} and took the other addresses; check RETRAIN_EMAIL_TO`,
  );
}

/** 4xx and network faults pass; 5xx, a refused login or address do not. */
function failure(error: unknown, url: string): RetrainError {
  const { hostname, port, username, password } = new URL(url);
  const secrets = [url, password, decodeURIComponent(password), decodeURIComponent(username)];
  const { message = 'the connection failed', responseCode: status } = error as Partial<SMTPError>;
  const words = masked(message, secrets);
  return new RetrainError(
    status !== undefined && status >= 500 ? 'NOTIFIER_REFUSED' : 'NOTIFIER_FAILED',
    `email: ${hostname}${port === '' ? '' : `:${port}`} did not take the notice (${words}); check SMTP_URL, RETRAIN_EMAIL_FROM and RETRAIN_EMAIL_TO`,
  );
}

/** nodemailer knows no signals: the wait ends here, the dialogue by its time-outs. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}
