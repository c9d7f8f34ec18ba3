import { parseDocument } from 'yaml';
import { RetrainError } from '../../contracts/errors';
import { type Overrides } from '../../pipeline/run/load-params';

/** Names that would change what all objects inherit. */
const NOT_KEYS: readonly string[] = ['__proto__', 'prototype', 'constructor'];

/**
 * `train.n_estimators=200` → `{train: {n_estimators: 200}}`; values are YAML.
 *
 * @throws RetrainError USAGE
 */
export function parseOverrides(assignments: readonly string[]): Overrides {
  const overrides: Record<string, unknown> = {};
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    const parts = assignment.slice(0, Math.max(0, at)).split('.');
    if (at < 1 || parts.some((part) => part.trim() === '')) {
      throw new RetrainError(
        'USAGE',
        `--set takes key=value such as train.n_estimators=200, got ${assignment.slice(0, 60)}`,
      );
    }
    const bad = parts.find((part) => NOT_KEYS.includes(part));
    if (bad !== undefined) throw new RetrainError('USAGE', `--set ${bad}: is no key of params.yaml`);
    place(overrides, parts, valueOf(parts.join('.'), assignment.slice(at + 1)));
  }
  return overrides;
}

function valueOf(key: string, text: string): unknown {
  try {
    const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
    if (document.errors.length === 0) return document.toJS({ maxAliasCount: 0 });
  } catch {
    // Said below: what is no YAML, and what repeats itself.
  }
  throw new RetrainError(
    'USAGE',
    `--set ${key}: ${JSON.stringify(text.slice(0, 40))} is no YAML value; quote texts that hold : [ { * & or #`,
  );
}

function place(into: Record<string, unknown>, [head = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) {
    into[head] = value;
    return;
  }
  const below = into[head];
  const inner: Record<string, unknown> =
    typeof below === 'object' && below !== null && !Array.isArray(below) ? { ...below } : {};
  into[head] = inner;
  place(inner, rest, value);
}
