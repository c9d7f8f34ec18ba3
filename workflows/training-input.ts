import { ApplicationFailure } from '@temporalio/workflow';
import { plainLine } from '../contracts/plain-words';
import { type TrainingInput } from '../contracts/run';

const KEYS = {
  params: 'string',
  overrides: 'object',
  force: 'boolean',
  project: 'object',
  spec: 'object',
} as const satisfies Record<keyof TrainingInput, string>;

const KEYS_OF_SPEC = ['params', 'data'] as const;

/**
 * Looks at what a workflow was started with, which anybody may have typed into the Web UI. What is wrong with it ends the
 * run at once; what is in the params and overrides, the activity that reads them checks.
 *
 * @throws ApplicationFailure CONFIG_INVALID, not retryable
 */
export function checkedInput(input: unknown): TrainingInput {
  if (input === undefined) return {};
  if (!isMapping(input))
    throw refused(`must be a mapping such as {} or {"params": "params.yaml"}, got ${kindOf(input)}`);
  for (const [key, value] of Object.entries(input)) {
    if (!Object.hasOwn(KEYS, key)) {
      throw refused(
        `has the unknown key ${JSON.stringify(key.slice(0, 40))}, expected ${Object.keys(KEYS).join(', ')}`,
      );
    }
    const expected = KEYS[key as keyof TrainingInput];
    const fits = expected === 'object' ? isMapping(value) : typeof value === expected;
    if (value !== undefined && !fits)
      throw refused(`.${key} must be a ${NAMED[expected]}, got ${kindOf(value)}`);
  }
  const { spec } = input;
  if (isMapping(spec) && KEYS_OF_SPEC.some((key) => !isMapping(spec[key]))) {
    throw refused('.spec is not what a client made; leave it out, and the worker fills it in');
  }
  return input;
}

const NAMED = { string: 'text', object: 'mapping', boolean: 'truth value' } as const;

const refused = (why: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    plainLine(`the input${why.startsWith('.') ? why : ` ${why}`}`),
    'CONFIG_INVALID',
  );

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : `a ${typeof value}`;
}
