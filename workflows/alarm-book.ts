import {
  type AlarmFamily,
  type AlarmFinding,
  type AlarmNotice,
  type AlarmState,
  type HeldNotice,
  type OpenAlarm,
} from '../contracts/alarm';
import { type AlarmCause } from '../contracts/drift';

// What a check changes in what is known of a model's alarms. Pure: the state goes in, and a new one comes out.

/** Ids of checks that are remembered, so that one that comes twice counts once. */
const REMEMBERED = 50;
/** Causes that are followed one by one: `MOST_OPEN` of contracts/alarm. */
const MOST_FOLLOWED = 100;
/** Of a cause's words, what is kept. */
const LONGEST = { title: 200, detail: 500 };

export const NO_ALARMS: AlarmState = { version: null, open: [], held: [], trainedAt: null, checks: [] };

export interface Settled {
  state: AlarmState;
  raised: AlarmCause[];
  resolved: OpenAlarm[];
  /** Whether a training is to be asked for. */
  train: boolean;
}

/**
 * Holds what a check found against what is open. A cause is raised when the first check finds it, lasts while checks find it, and is resolved
 * once `resolvedAfter` checks in a row that looked for it did not. A check that did not look, for it had too few rows, changes nothing of it.
 * Nor does one that was told an earlier moment than that of the latest check by the clock: it is somebody who looks back.
 *
 * @param paced false: as desks did it that began before, whose histories say so (decision 12)
 */
export function settle(state: AlarmState, finding: AlarmFinding, paced = true): Settled {
  const { at, policy, modelVersion: version } = finding;
  if (state.checks.includes(finding.checkId) || (paced && looksBack(state, finding)))
    return { state, raised: [], resolved: [], train: false };
  const found = new Map(finding.causes.map((cause) => [cause.key, bounded(cause)]));
  const lasting: OpenAlarm[] = [];
  const resolved: OpenAlarm[] = [];
  for (const alarm of state.open) {
    const again = found.get(alarm.cause.key);
    if (again !== undefined) lasting.push({ ...alarm, cause: again, seen: at, clear: 0 });
    else if (!finding.checked.some((family) => isOf(alarm.cause.key, family))) lasting.push(alarm);
    else if (alarm.clear + 1 >= policy.resolvedAfter) resolved.push(alarm);
    else lasting.push({ ...alarm, clear: alarm.clear + 1 });
  }
  const known = new Set(state.open.map(({ cause }) => cause.key));
  const raised = [...found.values()]
    .filter(({ key }) => !known.has(key))
    .slice(0, Math.max(0, MOST_FOLLOWED - lasting.length));
  const open = [...lasting, ...raised.map((cause) => ({ cause, since: at, seen: at, clear: 0 }))];
  const train =
    policy.train && (paced ? mayTrain(state, open, finding) : mayTrainOnAny(state, open, raised, finding));
  return {
    state: {
      ...state,
      version,
      open,
      trainedAt: train ? at : open.length === 0 && !paced ? null : state.trainedAt,
      ...(policy.clock === 'machine' ? { checkedAt: at } : {}),
      checks: [...state.checks, finding.checkId].slice(-REMEMBERED),
    },
    raised,
    resolved,
    train,
  };
}

/** A training mends what is wrong with the model's data or accuracy; not that the last one gained nothing, or that a check cannot look. */
const isMended = ({ key }: AlarmCause): boolean => !isOf(key, 'training') && !isOf(key, 'watch');

const looksBack = ({ checkedAt }: AlarmState, { at, policy }: AlarmFinding): boolean =>
  policy.clock === 'given' && checkedAt != null && Date.parse(at) < Date.parse(checkedAt);

/**
 * No more often than is set, though alarms end and begin anew: one that a training does not end comes and goes, and data that are
 * collected each hour are new each hour. A training of a moment that is yet to come (a clock was wrong) keeps no other from its turn.
 */
function mayTrain(
  { trainedAt }: AlarmState,
  open: readonly OpenAlarm[],
  { at, policy }: AlarmFinding,
): boolean {
  if (!open.some(({ cause, clear }) => clear === 0 && isMended(cause))) return false;
  const since = trainedAt === null ? Infinity : Date.parse(at) - Date.parse(trainedAt);
  return since < 0 || since >= policy.trainEveryMs;
}

/** As `mayTrain`, and each cause that is new asks at once. */
function mayTrainOnAny(
  { trainedAt }: AlarmState,
  open: readonly OpenAlarm[],
  raised: readonly AlarmCause[],
  { at, policy }: AlarmFinding,
): boolean {
  if (raised.some(isMended)) return true;
  const found = open.filter(({ cause, clear }) => clear === 0 && isMended(cause));
  if (found.length === 0) return false;
  return trainedAt === null || Date.parse(at) - Date.parse(trainedAt) >= policy.trainEveryMs;
}

/** Keeps a notice until the quiet hours end; without quiet hours it is told at once. */
export function holdBack(
  state: AlarmState,
  notice: AlarmNotice,
  { quietUntil, clock }: AlarmFinding['policy'],
): { state: AlarmState; now: AlarmNotice | null } {
  if (quietUntil === null) return { state, now: notice };
  return { state: { ...state, held: [...state.held, { notice, until: quietUntil, clock }] }, now: null };
}

/**
 * Lets go what was held back long enough, in the order in which it came.
 *
 * @param now epoch ms, by the clock of those
 */
export function release(
  state: AlarmState,
  now: number,
  clock: HeldNotice['clock'],
): { state: AlarmState; due: AlarmNotice[] } {
  const isDue = (one: HeldNotice): boolean => one.clock === clock && Date.parse(one.until) <= now;
  return {
    state: { ...state, held: state.held.filter((one) => !isDue(one)) },
    due: state.held.filter(isDue).map(({ notice }) => notice),
  };
}

/** When the next notice is to be let go by the machine's clock, epoch ms; null: none waits for it. */
export function nextRelease({ held }: AlarmState): number | null {
  const waits = held.flatMap(({ until, clock }) => (clock === 'machine' ? [Date.parse(until)] : []));
  return waits.length === 0 ? null : Math.min(...waits);
}

const isOf = (key: string, family: AlarmFamily): boolean => key === family || key.startsWith(`${family}:`);

function bounded(cause: AlarmCause): AlarmCause {
  return {
    ...cause,
    title: cause.title.slice(0, LONGEST.title),
    detail: cause.detail.slice(0, LONGEST.detail),
  };
}
