import { createHmac, timingSafeEqual } from 'node:crypto';

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
  const timestamp = String(Math.floor(at / 1000));
  const signature = mac(secret, id, timestamp, body).toString('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

/** Older than this, or further ahead of the clock, a signed body no longer counts, in seconds. */
const TOLERANCE_S = 300;

/** The longest `webhook-signature` that is looked at: one signature has 47 characters, and several may stand side by side. */
const MOST_LETTERS = 1000;

/** What a signature says of a body: that it holds, that it did hold, or nothing. */
export type Verdict = 'valid' | 'expired' | 'forged';

/**
 * Checks the headers that `signatureHeaders` makes; the body as it was received, byte by byte. Signatures are compared in constant
 * time. Only whoever signed it learns that a body has expired.
 *
 * @param now epoch ms
 */
export function verifySignature(
  secret: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: Uint8Array,
  now: number,
): Verdict {
  const [id, timestamp, given] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => {
    const value = headers[name];
    return typeof value === 'string' ? value : '';
  });
  if (!id || !timestamp || !given || given.length > MOST_LETTERS || !/^\d{1,12}$/.test(timestamp)) {
    return 'forged';
  }
  const right = mac(secret, id, timestamp, body);
  const holds = given.split(' ').some((one) => {
    const bytes = Buffer.from(one.startsWith('v1,') ? one.slice('v1,'.length) : '', 'base64');
    return bytes.length === right.length && timingSafeEqual(bytes, right);
  });
  if (!holds) return 'forged';
  return Math.abs(now / 1000 - Number(timestamp)) <= TOLERANCE_S ? 'valid' : 'expired';
}

function mac(secret: string, id: string, timestamp: string, body: string | Uint8Array): Buffer {
  const key = secret.startsWith('whsec_')
    ? Buffer.from(secret.slice('whsec_'.length), 'base64')
    : Buffer.from(secret, 'utf8');
  return createHmac('sha256', key).update(`${id}.${timestamp}.`, 'utf8').update(body).digest();
}
