import { RetrainError } from '../../contracts/errors';
import { type Params } from '../../contracts/params';
import { parseParams } from '../../contracts/parse-params';
import { requireTriggerable } from './trigger-overrides';
import { readParamsFile, requireShallow, shownPath } from './params-file';

export type Overrides = Readonly<Record<string, unknown>>;

/** Who set them: somebody who has the file, or whoever can start a workflow. */
export type OverridesFrom = 'command line' | 'trigger';

/** Names that would change what all objects inherit. */
const NOT_KEYS: readonly string[] = ['__proto__', 'prototype', 'constructor'];

const MOST_DEPTH = 16;
const MOST_CHARACTERS = 200_000;

/**
 * Reads and checks a params file. `overrides` are merged in, key by key, before the check.
 *
 * @param project Folder that `file` is relative to.
 * @param from A trigger may change less: see `requireTriggerable`.
 * @throws RetrainError CONFIG_NOT_FOUND, CONFIG_INVALID with file, line, key, value and expectation.
 */
export async function loadParams(
  project: string,
  file: string,
  overrides: Overrides = {},
  from: OverridesFrom = 'command line',
): Promise<Params> {
  requireOverrides(overrides);
  const { value, lineOf } = await readParamsFile(project, file);
  if (from === 'trigger') requireTriggerable(overrides, value);
  return parseParams(merge(value, overrides), shownPath(file), lineOf);
}

function requireOverrides(overrides: unknown): void {
  const refused = (why: string): RetrainError => new RetrainError('CONFIG_INVALID', `overrides: ${why}`);
  if (!isMapping(overrides)) throw refused('must be a mapping such as {"train": {"n_estimators": 200}}');
  requireShallow(overrides, MOST_DEPTH, () => refused(`are nested deeper than ${MOST_DEPTH} levels`));
  if (JSON.stringify(overrides).length > MOST_CHARACTERS) {
    throw refused(`have more than ${MOST_CHARACTERS} characters`);
  }
  const bad = keysOf(overrides).find((key) => NOT_KEYS.includes(key));
  if (bad !== undefined) throw refused(`${bad} is no key of params.yaml`);
}

function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return [...Object.keys(value), ...Object.values(value).flatMap(keysOf)];
}

/** Mappings are merged, everything else is replaced. */
function merge(base: Overrides, over: Overrides): Overrides {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isMapping(below) && isMapping(value) ? merge(below, value) : value;
  }
  return merged;
}

function isMapping(value: unknown): value is Overrides {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
