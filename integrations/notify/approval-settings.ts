import { RetrainError } from '../../contracts/errors';
import { Secret } from '../files/secret';

/** Where a worker takes signed answers for candidates that wait for approval. */
export interface ApprovalSettings {
  secret: Secret;
  host: string;
  port: number;
}

const DEFAULT_ADDRESS = '127.0.0.1:8266';

/** Whoever has it moves production: more than what signs a notice. */
const LEAST_LETTERS = 32;

/**
 * Reads RETRAIN_APPROVAL_SECRET and RETRAIN_APPROVAL_ADDRESS; null without the secret: nothing listens.
 *
 * @throws RetrainError CONFIG_INVALID, which never quotes the secret
 */
export function approvalSettings(env: Record<string, string | undefined>): ApprovalSettings | null {
  const secret = env['RETRAIN_APPROVAL_SECRET'] ?? '';
  if (secret === '') return null;
  if (secret.length < LEAST_LETTERS || /^whsec_(?![A-Za-z0-9+/]+={0,2}$)/.test(secret)) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `RETRAIN_APPROVAL_SECRET must be ${LEAST_LETTERS} characters or more, or whsec_ and base64, got ${secret.length} characters; make one with \`openssl rand -base64 32\``,
    );
  }
  if (secret === env['RETRAIN_WEBHOOK_SECRET']) {
    throw new RetrainError(
      'CONFIG_INVALID',
      'RETRAIN_APPROVAL_SECRET is the same as RETRAIN_WEBHOOK_SECRET, which the receivers of notices know: they could approve; make another one with `openssl rand -base64 32`',
    );
  }
  const address = env['RETRAIN_APPROVAL_ADDRESS'] || DEFAULT_ADDRESS;
  const [, host = '', port = ''] = /^(\[[0-9a-fA-F:.]+\]|[^:\s]+):(\d{1,5})$/.exec(address) ?? [];
  if (host === '' || Number(port) > 65_535) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `RETRAIN_APPROVAL_ADDRESS must be host:port such as ${DEFAULT_ADDRESS}, got ${address}`,
    );
  }
  return { secret: new Secret(secret), host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
