import { RetrainError } from '../../contracts/errors';
import { type Params } from '../../contracts/params';
import { parseParams } from '../../contracts/parse-params';
import { loadParams } from '../../pipeline/run/load-params';
import { parseOverrides } from '../run/overrides';

/** What of params.yaml a judgement goes by; what else a version was made with stays as it was. */
const JUDGED = ['gate', 'promote', 'evaluate'] as const;

export interface JudgedBy {
  /** A params file whose `gate`, `promote` and `evaluate` stand in for the recorded ones. */
  params?: string;
  /** `promote.confidence=0.95`, on top of them. */
  set: readonly string[];
  /** `accuracy=0.95`: stands in for the whole gate. */
  gate: readonly string[];
}

/**
 * The params of a version with the rules that it is to be judged by.
 *
 * @throws RetrainError USAGE for a key that changes how it was made; CONFIG_INVALID
 */
export async function judgedParams(
  project: string,
  recorded: Params,
  { params, set, gate }: JudgedBy,
): Promise<Params> {
  const changes = parseOverrides(set);
  const foreign = Object.keys(changes).find((key) => !JUDGED.some((one) => one === key));
  if (foreign !== undefined) {
    throw new RetrainError(
      'USAGE',
      `--set ${foreign}: changes how a version is made; what it can be judged by is ${JUDGED.join(', ')}; to train another one: retrain start --set …`,
    );
  }
  const file = params === undefined ? null : await loadParams(project, params);
  const limits = parseOverrides(gate.map((limit) => `gate.${limit}`));
  const rules = Object.fromEntries(
    JUDGED.map((key) => [key, merged((file ?? recorded)[key], changes[key])] as const),
  );
  return parseParams({ ...recorded, ...rules, ...limits }, gate.length > 0 ? '--gate' : (params ?? '--set'));
}

function merged(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (!isMapping(base) || !isMapping(over)) return over;
  return Object.fromEntries(
    [...new Set([...Object.keys(base), ...Object.keys(over)])].map((key) => [
      key,
      merged(base[key], over[key]),
    ]),
  );
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
