import { z } from 'zod';
import { RetrainError, listed } from './errors';
import { nearest } from './nearest';
import { Params } from './params';

/** Tells where a key stands in the source, for messages: 1-based line, or undefined. */
export type LineOf = (path: readonly PropertyKey[]) => number | undefined;

/** More mistakes than these are counted only. */
const MOST_MISTAKES = 20;

/**
 * Checks raw params (parsed YAML, overrides merged in) against the schema and fills in the defaults.
 *
 * @throws RetrainError CONFIG_INVALID, one line with every mistake: the key, the value seen and what was expected:
 * `params.yaml:7: train.n_estimators must be ≥ 1, got 0; params.yaml:9: unknown key sed in train; did you mean seed?`.
 */
export function parseParams(raw: unknown, source: string, lineOf: LineOf = () => undefined): Params {
  const parsed = Params.safeParse(raw, { reportInput: true });
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.flatMap(oneByOne).map((issue) => {
    const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
    const line = lineOf(path);
    return `${source}${line === undefined ? '' : `:${line}`}: ${describe(issue, raw)}`;
  });
  const more = mistakes.length - MOST_MISTAKES;
  throw new RetrainError(
    'CONFIG_INVALID',
    `${mistakes.slice(0, MOST_MISTAKES).join('; ')}${more > 0 ? `; and ${more} more` : ''}`,
  );
}

/** An issue for each unknown key. */
function oneByOne(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'unrecognized_keys') return [issue];
  return issue.keys.map((key) => ({ ...issue, keys: [key] }));
}

function describe(issue: z.core.$ZodIssue, raw: unknown): string {
  const key = dotted(issue.path) || 'the file';
  switch (issue.code) {
    case 'unrecognized_keys': {
      const [unknown = ''] = issue.keys;
      const known = knownKeys(issue.path);
      const guess = nearest(unknown, known);
      const where = issue.path.length > 0 ? ` in ${dotted(issue.path)}` : '';
      return guess === undefined
        ? `unknown key ${shownKey(unknown)}${where}; known keys: ${listed(known, 20)}`
        : `unknown key ${shownKey(unknown)}${where}; did you mean ${guess}?`;
    }
    case 'invalid_key': {
      const last = String(issue.path.at(-1) ?? '');
      const parent = dotted(issue.path.slice(0, -1));
      const known = knownKeys(issue.path.slice(0, -1));
      const [wrong] = issue.issues;
      // Names that are the user's own: what they may look like.
      if (known.length === 0 && wrong !== undefined) {
        return `the name ${shownKey(last)} in ${parent} ${wrong.message}`;
      }
      const guess = nearest(last, known);
      return `unknown key ${shownKey(last)} in ${parent}; ${guess === undefined ? `known keys: ${listed(known, 20)}` : `did you mean ${guess}?`}`;
    }
    case 'invalid_type':
      return valueAt(raw, issue.path) === undefined
        ? `${key} is missing; expected ${article(issue.expected)}`
        : `${key} must be ${article(issue.expected)}, got ${shown(valueAt(raw, issue.path))}`;
    case 'invalid_value': {
      const values = issue.values.map(String);
      const seen = valueAt(raw, issue.path);
      const guess = typeof seen === 'string' ? nearest(seen, values) : undefined;
      const expected = values.length === 1 ? values[0] : `one of ${listed(values, 12)}`;
      return `${key} must be ${expected}, got ${shown(seen)}${guess === undefined ? '' : `; did you mean ${guess}?`}`;
    }
    case 'too_small':
      return `${key} must be ${issue.inclusive ? '≥' : '>'} ${issue.minimum}, got ${shown(valueAt(raw, issue.path))}`;
    case 'too_big':
      return `${key} must be ${issue.inclusive ? '≤' : '<'} ${issue.maximum}, got ${shown(valueAt(raw, issue.path))}`;
    case 'invalid_union': {
      const branch = issue.errors.find((errors) => errors.length > 0)?.[0];
      return `${key} does not fit: ${branch?.message ?? issue.message}, got ${shown(valueAt(raw, issue.path))}`;
    }
    case 'not_multiple_of':
    case 'invalid_format':
    case 'invalid_element':
    case 'custom':
    default:
      return `${key} ${/^(must|needs|takes|is) /.test(issue.message) ? issue.message : `is not valid: ${issue.message}`}, got ${shown(valueAt(raw, issue.path))}`;
  }
}

/** Keys that the schema knows at a path, for suggestions. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: unknown = Params;
  for (const step of path) schema = child(unwrap(schema), step);
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) return Object.keys(inner.shape);
  if (inner instanceof z.ZodRecord && inner.keyType instanceof z.ZodEnum)
    return inner.keyType.options.map(String);
  return [];
}

function child(schema: unknown, step: PropertyKey): unknown {
  if (schema instanceof z.ZodObject) return (schema.shape as Record<PropertyKey, unknown>)[step];
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return undefined;
}

function unwrap(schema: unknown): unknown {
  let inner = schema;
  while (
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodNullable ||
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodPipe
  ) {
    inner = inner instanceof z.ZodPipe ? inner.in : inner.unwrap();
  }
  return inner;
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** A key that somebody made up, as it can stand in a message: bounded, one line. */
const shownKey = (key: string): string =>
  /^[\w.-]{1,60}$/.test(key) ? key : JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key);

const dotted = (path: readonly PropertyKey[]): string => path.map((step) => shownKey(String(step))).join('.');

const NAMES: Record<string, string> = {
  int: 'an integer',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
};

const article = (type: string): string => NAMES[type] ?? `a ${type}`;
