import { ApplicationFailure } from '@temporalio/workflow';
import { type AlarmDeskInput, type AlarmFinding } from '../contracts/alarm';

type Kind = 'string' | 'number' | 'boolean' | 'array' | 'object';

const FINDING = {
  checkId: 'string',
  model: 'string',
  modelVersion: 'string',
  at: 'string',
  checked: 'array',
  causes: 'array',
  more: 'number',
  policy: 'object',
} as const satisfies Partial<Record<keyof AlarmFinding, Kind>>;

const CAUSE = {
  key: 'string',
  title: 'string',
  detail: 'string',
  rows: 'number',
} as const satisfies Partial<Record<keyof AlarmFinding['causes'][number], Kind>>;

const POLICY = {
  notify: 'boolean',
  train: 'boolean',
  trainEveryMs: 'number',
  resolvedAfter: 'number',
  clock: 'string',
  params: 'string',
} as const satisfies Partial<Record<keyof AlarmFinding['policy'], Kind>>;

/** `MOST_OPEN` of contracts/alarm. */
const MOST_CAUSES = 100;
const LONGEST = { key: 600, words: 2000 };

/**
 * Looks at what a desk is told, which anybody who reaches Temporal may have typed: what is not in order must not stop it.
 *
 * @throws ApplicationFailure USAGE, not retryable
 */
export function checkFinding(model: string, finding: unknown): void {
  const given = requireAll(finding, FINDING, 'the finding', model);
  if (given['model'] !== model) throw refused(`it is of ${String(given['model']).slice(0, 100)}`, model);
  if (!isMoment(given['at'] as string)) throw refused('its `at` is no moment', model);
  const { causes, checked } = given as unknown as AlarmFinding;
  if (causes.length > MOST_CAUSES)
    throw refused(`it has ${causes.length} causes, expected at most ${MOST_CAUSES}`, model);
  if (checked.some((family) => typeof family !== 'string'))
    throw refused('its `checked` is no list of names', model);
  for (const cause of causes) {
    requireAll(cause, CAUSE, 'a cause', model);
    if (cause.key.length > LONGEST.key || cause.title.length + cause.detail.length > LONGEST.words) {
      throw refused('a cause of it is too long', model);
    }
  }
  const policy = requireAll(given['policy'], POLICY, 'its policy', model);
  const until = policy['quietUntil'];
  if (until !== null && (typeof until !== 'string' || !isMoment(until))) {
    throw refused('`quietUntil` of its policy is no moment', model);
  }
}

/** As the desk keeps it in a tag, and nobody could read it there otherwise. */
const isMoment = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?Z$/.test(text) && !Number.isNaN(Date.parse(text));

/** @throws ApplicationFailure USAGE, not retryable */
export function checkDeskInput(input: unknown): AlarmDeskInput {
  const given = input as Partial<AlarmDeskInput> | undefined;
  if (typeof given?.model === 'string' && given.model !== '') return given as AlarmDeskInput;
  throw ApplicationFailure.nonRetryable(
    'an alarm desk is started by the checks of a model; to check one now, start monitorModel with {"model": "iris-classifier"}',
    'USAGE',
  );
}

function requireAll(
  given: unknown,
  kinds: Readonly<Record<string, Kind>>,
  what: string,
  model: string,
): Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null) throw refused(`${what} is no mapping`, model);
  const mapping = given as Readonly<Record<string, unknown>>;
  for (const [key, kind] of Object.entries(kinds)) {
    const value = mapping[key];
    const seen = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
    if (seen !== kind) throw refused(`${what}: ${key} must be of kind ${kind}, got ${seen}`, model);
  }
  return mapping;
}

function refused(why: string, model: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `what the alarms of ${model} are told by its checks is not in order: ${why}; to check it now, start monitorModel with {"model": "${model}"}`,
    'USAGE',
  );
}
