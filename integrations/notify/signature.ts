import { createHmac } from 'node:crypto';

/**
 * Headers that prove who sent a body and when: HMAC-SHA256 over `<id>.<timestamp>.<body>`, base64. Any
 * Standard Webhooks library checks them; a receiver drops ids that it has had, and timestamps more than 5 minutes old.
 * Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 *
 * @param secret `whsec_<base64>` is decoded; any other text counts by its UTF-8 bytes
 * @param id at most once processed; the same for each attempt
 * @param at time of this attempt, epoch ms; sent in seconds
 */
export function signatureHeaders(
  secret: string,
  id: string,
  at: number,
  body: string,
): Record<string, string> {
  const key = secret.startsWith('whsec_')
    ? Buffer.from(secret.slice('whsec_'.length), 'base64')
    : Buffer.from(secret, 'utf8');
  const timestamp = String(Math.floor(at / 1000));
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`, 'utf8').digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${mac}` };
}
