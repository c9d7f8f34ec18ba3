import { AlarmState } from '../../contracts/alarm';
import { VERSION_TAG } from '../../contracts/names';
import { plainLine } from '../../contracts/plain-words';
import { type Mlflow } from './client';
import { LIMIT } from './limits';

/** Versions that are looked through, the newest ones. */
const LOOKED_THROUGH = 1000;

/** A line for people: the first causes, and how many more there are. */
const NAMED = 5;

/** Tags of the version that was checked last: what is wrong with it, for people, and all of it, for a desk that begins. */
export function alarmTags(state: AlarmState): Record<string, string> {
  const titles = state.open.map(({ cause }) => plainLine(cause.title));
  const more = titles.length - NAMED;
  return {
    [VERSION_TAG.alarm]: [...titles.slice(0, NAMED), ...(more > 0 ? [`${more} more`] : [])].join('; '),
    [VERSION_TAG.alarmState]: bounded(state),
  };
}

/** A tag that was cut would be none; details go before, then what is held back. */
function bounded(state: AlarmState): string {
  const brief = {
    ...state,
    open: state.open.map((one) => ({ ...one, cause: { ...one.cause, detail: '' } })),
  };
  const forms = [state, brief, { ...brief, held: [] }].map((form) => JSON.stringify(form));
  return forms.find((text) => text.length <= LIMIT.versionTag) ?? '';
}

/**
 * What the tags tell of a model's alarms; null when none do. The registry is other people's: what is no state of alarms is none.
 */
export async function readAlarmState(
  mlflow: Pick<Mlflow, 'registry'>,
  model: string,
  signal?: AbortSignal,
): Promise<AlarmState | null> {
  const versions = await mlflow.registry.listVersions(model, LOOKED_THROUGH, signal);
  for (const { version, tags } of versions) {
    const text = tags[VERSION_TAG.alarmState] ?? '';
    if (text === '' || text.length > LIMIT.versionTag) continue;
    try {
      const state = AlarmState.safeParse(JSON.parse(text));
      if (state.success && state.data.version === version) return state.data;
    } catch {
      // No JSON: somebody else's tag.
    }
  }
  return null;
}
