import { RetrainError, listed } from '../../contracts/errors';
import { TriggerParams } from '../../contracts/params';
import { COMPUTE_STAGES } from '../stage';

type Overrides = Readonly<Record<string, unknown>>;

/** What would run code or reach something on the worker's behalf, or let a model into production unseen. */
const CLOSED: readonly string[] = [
  'preprocess.sql',
  'preprocess.filter',
  ...COMPUTE_STAGES.flatMap((stage) =>
    ['image', 'command', 'env', 'network', 'volumes', 'user'].map((key) => `${stage}.${key}`),
  ),
  ...['approval', 'approvers', 'four_eyes'].map((key) => `promote.${key}`),
];

const ADVICE = 'set it in params.yaml, start on the command line with --set, or list it there';

/**
 * What a trigger may change is params.yaml's to say: whoever can start a workflow (the Web UI, a schedule, a CI job) could else
 * do what whoever can change the file can. On the command line everything may be changed: it has the file.
 *
 * @param file What the params file holds, overrides not yet merged in.
 * @param told how the message names the overrides, and what else there is to do
 * @throws RetrainError CONFIG_INVALID naming the keys
 */
export function requireTriggerable(
  overrides: Overrides,
  file: Overrides,
  told: { of: string; advice: string } = { of: 'overrides', advice: ADVICE },
): void {
  const asked = leavesOf(overrides);
  if (asked.length === 0) return;
  const triggers = TriggerParams.safeParse(file['triggers'] ?? {});
  // What is wrong with it, the check of the whole file says.
  const allowed = triggers.success ? triggers.data.overrides : false;
  const refused = asked.filter((key) => !mayChange(key, allowed));
  if (refused.length === 0) return;
  const why =
    allowed === false
      ? 'triggers.overrides of params.yaml is false'
      : 'triggers.overrides of params.yaml does not name it';
  throw new RetrainError(
    'CONFIG_INVALID',
    `${told.of}: a trigger may not change ${listed(refused.map(shownKey))}, as ${why}; ${told.advice}`,
  );
}

function mayChange(key: string, allowed: boolean | readonly string[]): boolean {
  if (isWithin(key, 'triggers') || isWithin(key, 'collect')) return false;
  if (allowed === false) return false;
  if (allowed === true) return !CLOSED.some((closed) => isWithin(key, closed) || isWithin(closed, key));
  return allowed.some((named) => isWithin(key, named));
}

/** Whether a dotted key is another, or below it. */
const isWithin = (key: string, above: string): boolean => key === above || key.startsWith(`${above}.`);

/** Dotted keys of all that is set; an empty mapping counts as what it stands for. */
function leavesOf(value: Overrides, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, member]) => {
    const name = `${prefix}${key}`;
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return [name];
    return leavesOf(member as Overrides, `${name}.`);
  });
}

const shownKey = (key: string): string => key.replace(/[^\w.-]/g, '?').slice(0, 60);
