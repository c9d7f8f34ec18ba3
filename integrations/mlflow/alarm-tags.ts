import { AlarmState } from '../../contracts/alarm';
import { parseBounded } from '../../contracts/bounded-json';
import { VERSION_TAG } from '../../contracts/names';
import { plainLine } from '../../contracts/plain-words';
import { type Mlflow } from './client';
import { LIMIT } from './limits';
import { type ModelVersion } from './registry-record';

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

/** A tag that was cut would be none; details go before, then what is held back, then names of columns, then the lesser alarms. */
function bounded(state: AlarmState): string {
  const open = state.open.map((one) => ({ ...one, cause: { ...one.cause, detail: '' } }));
  const named = open.map((one) => ({ ...one, cause: { ...one.cause, column: null } }));
  const forms: AlarmState[] = [
    state,
    { ...state, open },
    { ...state, open, held: [] },
    ...[100, 50, 25, 10].map((most) => ({ ...state, open: named.slice(0, most), held: [] })),
  ];
  return forms.map((form) => JSON.stringify(form)).find((text) => text.length <= LIMIT.versionTag) ?? '';
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
  for (const version of versions) {
    const state = alarmStateOf(version);
    if (state !== null) return state;
  }
  return null;
}

/** What the tag of a version tells; null: it is none, or that of another version. */
export function alarmStateOf({ version, tags }: Pick<ModelVersion, 'version' | 'tags'>): AlarmState | null {
  const text = tags[VERSION_TAG.alarmState] ?? '';
  if (text === '' || text.length > LIMIT.versionTag) return null;
  try {
    const state = AlarmState.safeParse(parseBounded(text, VERSION_TAG.alarmState));
    return state.success && state.data.version === version ? state.data : null;
  } catch {
    // No JSON, or more than we would write: somebody else's tag.
    return null;
  }
}
