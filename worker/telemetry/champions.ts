import { ALARM_FAMILIES } from '../../contracts/alarm';
import { ALIAS, VERSION_TAG } from '../../contracts/names';
import { type ModelVersion } from '../../integrations/mlflow/registry-record';
import { type Registry } from '../../integrations/mlflow/registry';

/** Models that are looked at, those first that something happened to last. */
const MOST_MODELS = 100;

/** Look-ups at a time. */
const AT_A_TIME = 4;

/** What the registry tells of a production version. */
export interface ChampionFacts {
  model: string;
  version: string;
  /** When the version was made, epoch ms. */
  madeAt: number;
  /** When it went into production, epoch ms; null: somebody moved the alias in MLflow itself. */
  promotedAt: number | null;
  /** When the first of its open alarms was raised, by kind, with their number. */
  alarms: Record<string, { open: number; since: number }>;
}

export interface Champions {
  champions: ChampionFacts[];
  /** Models that there was no room for. */
  leftOut: number;
}

/** Which versions are in production, for how long, and what is known to be wrong with them: one search, and one look for each model. */
export async function readChampions(
  registry: Pick<Registry, 'listModels' | 'findByAlias'>,
  signal?: AbortSignal,
): Promise<Champions> {
  const names = await registry.listModels(1000, signal);
  const looked = names.slice(0, MOST_MODELS);
  const champions: ChampionFacts[] = [];
  for (let at = 0; at < looked.length; at += AT_A_TIME) {
    const found = await Promise.all(
      looked.slice(at, at + AT_A_TIME).map((name) => registry.findByAlias(name, ALIAS.production, signal)),
    );
    champions.push(...found.flatMap((version) => (version === null ? [] : [factsOf(version)])));
  }
  return { champions, leftOut: names.length - looked.length };
}

function factsOf({ name, version, createdAt, tags }: ModelVersion): ChampionFacts {
  const promotedAt = Date.parse(tags[VERSION_TAG.promotedAt] ?? '');
  // The tag of a version that was replaced and is back tells of its first time, unless the steward put it back and wrote a new one.
  const isOfNow = !Number.isNaN(promotedAt) && !tags[VERSION_TAG.replacedBy];
  return {
    model: name,
    version,
    madeAt: createdAt,
    promotedAt: isOfNow ? promotedAt : null,
    alarms: openAlarms(tags[VERSION_TAG.alarmState] ?? ''),
  };
}

/** Anybody may write a tag: what does not read as ours is no alarm. */
function openAlarms(text: string): ChampionFacts['alarms'] {
  const alarms: ChampionFacts['alarms'] = {};
  for (const { cause, since } of openIn(text)) {
    const [at, key] = [Date.parse(textOf(since)), textOf(cause?.key)];
    const family = ALARM_FAMILIES.find((prefix) => key.startsWith(prefix));
    if (family === undefined || Number.isNaN(at)) continue;
    const known = alarms[family];
    alarms[family] = { open: (known?.open ?? 0) + 1, since: Math.min(at, known?.since ?? at) };
  }
  return alarms;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

interface Open {
  cause?: { key?: unknown } | null;
  since?: unknown;
}

function openIn(text: string): Open[] {
  try {
    const { open } = JSON.parse(text) as { open?: unknown };
    return Array.isArray(open)
      ? open.filter((one): one is Open => typeof one === 'object' && one !== null)
      : [];
  } catch {
    return [];
  }
}
