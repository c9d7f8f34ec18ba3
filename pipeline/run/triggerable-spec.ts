import { isDeepStrictEqual } from 'node:util';
import { type Params } from '../../contracts/params';
import { parseParams } from '../../contracts/parse-params';
import { type RunSpec } from '../../contracts/run';
import { readParamsFile, shownPath } from './params-file';
import { requireTriggerable } from './trigger-overrides';

type Mapping = Readonly<Record<string, unknown>>;

const ADVICE =
  'start on the worker’s machine, or give this command line and the worker one RETRAIN_START_SECRET, or have the worker’s project say the same';

/**
 * What a spec that nobody vouches for may ask of a worker: what its project's params file says, changed by no more than a trigger may
 * change. All params count, whether or not they are in the hash.
 *
 * @param project the worker's
 * @throws RetrainError CONFIG_INVALID naming the keys; CONFIG_NOT_FOUND
 */
export async function requireTriggerableSpec(
  project: string,
  { params, paramsPath }: RunSpec,
): Promise<void> {
  const { value, lineOf } = await readParamsFile(project, paramsPath);
  const own: Params = parseParams(value, shownPath(paramsPath), lineOf);
  requireTriggerable(differences(plain(own), plain(params)), value, { of: 'spec.params', advice: ADVICE });
}

/** As it travels: what is undefined is not there. */
const plain = (params: Params): Mapping => JSON.parse(JSON.stringify(params)) as Mapping;

/** What the second has otherwise, as overrides that would make it so; null for what it lacks. */
function differences(from: Mapping, to: Mapping): Mapping {
  const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
  const found: Record<string, unknown> = {};
  for (const key of keys) {
    const [before, after] = [from[key], to[key]];
    if (isDeepStrictEqual(before, after)) continue;
    found[key] = isMapping(before) && isMapping(after) ? differences(before, after) : (after ?? null);
  }
  return found;
}

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
