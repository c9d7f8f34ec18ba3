import { createHash } from 'node:crypto';

/** MLflow’s own limits. Source: mlflow/utils/validation.py, MLflow 3.17. */
export const LIMIT = {
  /** Params, and separately tags, per log-batch. */
  perBatch: 100,
  /** Metrics, params and tags may come to 1000 in one log-batch. */
  metricsPerBatch: 800,
  /** Characters. */
  key: 250,
  param: 6000,
  tag: 8000,
  versionTag: 100_000,
  datasetDigest: 36,
  datasetName: 500,
} as const;

/**
 * A key as MLflow takes it: letters, digits and `_-./: `, at most 250 characters, a clean relative path. Other characters
 * become `_`; since two keys could then meet, a changed key ends in `_` and 8 hex digits of the original’s SHA-256.
 */
export function validKey(key: string): string {
  const clean = key
    .replace(/[^\p{L}\p{Nd}_\-./: ]/gu, '_')
    .split('/')
    .map((part) => (/^\.{0,2}$/.test(part) ? '_' : part))
    .join('/');
  if (clean === key && key.length <= LIMIT.key) return key;
  const mark = createHash('sha256').update(key).digest('hex').slice(0, 8);
  return `${cut(clean, LIMIT.key - mark.length - 1)}_${mark}`;
}

/** A value of at most `limit` characters: a longer one is cut, and ends by saying how long it was. */
export function validValue(value: string, limit: number): string {
  if (value.length <= limit) return value;
  const note = `… (cut, ${value.length} characters)`;
  return `${cut(value, limit - note.length)}${note}`;
}

/** Splits into runs of at most `size`. */
export function batches<T>(items: readonly T[], size: number): T[][] {
  const out: T[][] = [];
  for (let at = 0; at < items.length; at += size) out.push(items.slice(at, at + size));
  return out;
}

/** First `length` UTF-16 units, without half a surrogate pair at the end. */
function cut(text: string, length: number): string {
  const head = text.slice(0, length);
  return /[\uD800-\uDBFF]$/.test(head) ? head.slice(0, -1) : head;
}
