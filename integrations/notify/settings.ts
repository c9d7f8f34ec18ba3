import { RetrainError } from '../../contracts/errors';
import { Secret } from '../files/secret';

/** Where notices go, beside the log. Each part is absent when its variables are unset. */
export interface NoticeSettings {
  /** A Slack incoming webhook, or one of Mattermost or Rocket.Chat; whoever has the URL can post. */
  slack?: { url: Secret };
  webhook?: {
    url: Secret;
    /** Shared with the receiver, `whsec_<base64>` or any text of 16 characters or more. */
    secret: Secret;
  };
  email?: {
    /** `smtp://user:password@host:587` or `smtps://…` */
    smtp: Secret;
    to: string[];
    from: string;
  };
}

type Env = Record<string, string | undefined>;

/**
 * Reads SLACK_WEBHOOK_URL; RETRAIN_WEBHOOK_URL with RETRAIN_WEBHOOK_SECRET; SMTP_URL with RETRAIN_EMAIL_TO
 * (addresses, separated by commas) and RETRAIN_EMAIL_FROM.
 * @throws RetrainError CONFIG_INVALID, which never quotes a value
 */
export function noticeSettings(env: Env): NoticeSettings {
  const slack = env['SLACK_WEBHOOK_URL'];
  const webhook = env['RETRAIN_WEBHOOK_URL'];
  const smtp = env['SMTP_URL'];
  return {
    ...(slack ? { slack: { url: url('SLACK_WEBHOOK_URL', slack, ['https:', 'http:']) } } : {}),
    ...(webhook ? { webhook: webhookSettings(env, webhook) } : {}),
    ...(smtp ? { email: emailSettings(env, smtp) } : {}),
  };
}

function webhookSettings(env: Env, address: string): NonNullable<NoticeSettings['webhook']> {
  const secret = env['RETRAIN_WEBHOOK_SECRET'] ?? '';
  if (secret.length < 16) {
    const seen = secret === '' ? 'is not set' : `has ${secret.length} characters`;
    throw invalid(
      `RETRAIN_WEBHOOK_SECRET ${seen}, expected 16 or more to sign what goes to RETRAIN_WEBHOOK_URL; make one with \`openssl rand -base64 32\``,
    );
  }
  if (/^whsec_(?![A-Za-z0-9+/]+={0,2}$)/.test(secret)) {
    throw invalid('RETRAIN_WEBHOOK_SECRET begins with whsec_, expected base64 after it; copy it again');
  }
  return { url: url('RETRAIN_WEBHOOK_URL', address, ['https:', 'http:']), secret: new Secret(secret) };
}

function emailSettings(env: Env, smtp: string): NonNullable<NoticeSettings['email']> {
  const to = (env['RETRAIN_EMAIL_TO'] ?? '')
    .split(',')
    .map((address) => address.trim())
    .filter(Boolean);
  if (to.length === 0) {
    throw invalid(
      'RETRAIN_EMAIL_TO is not set, expected the addresses that SMTP_URL is for; set it, or unset SMTP_URL',
    );
  }
  const from = env['RETRAIN_EMAIL_FROM'] || to[0] || '';
  for (const address of to) requireAddress('RETRAIN_EMAIL_TO', address);
  requireAddress('RETRAIN_EMAIL_FROM', from);
  return { smtp: url('SMTP_URL', smtp, ['smtp:', 'smtps:']), to, from };
}

function requireAddress(name: string, address: string): void {
  if (/^[^\r\n]*[^\s@<]+@[^\s@>]+>?$/.test(address)) return;
  throw invalid(`${name} holds "${address}", expected an address such as ops@example.org; correct it`);
}

function url(name: string, value: string, schemes: readonly string[]): Secret {
  const parsed = URL.canParse(value) ? new URL(value) : undefined;
  // A lone % would fail later, when the password is decoded.
  const decodes = !/%(?![0-9a-f]{2})/i.test(value);
  if (parsed !== undefined && decodes && schemes.includes(parsed.protocol) && parsed.hostname !== '')
    return new Secret(value);
  const seen = parsed === undefined || !decodes ? 'is no URL' : `is a ${parsed.protocol} URL`;
  throw invalid(`${name} ${seen}, expected ${schemes.join('//… or ')}//…; correct it`);
}

function invalid(message: string): RetrainError {
  return new RetrainError('CONFIG_INVALID', message);
}
