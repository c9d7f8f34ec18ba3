/** Params as an MLflow run has them: dotted keys, values as text. */
export type FlatParams = Readonly<Record<string, string | number | boolean | null>>;

/** What a change of params costs the comparison with the champion. */
export interface UnseenForecast {
  /** Share of the held-out rows that the champion knows of and was not trained on, 0 to 1. */
  share: number;
  /** The params that cost the rest: `preprocess.seed 42 → 7`. */
  because: string[];
}

/** By what rows are named, besides the columns of the data. */
const NAMING = /^(?:data\.target|preprocess\.(?:row_id|group_by|drop|sql|rename(?:\..*)?))$/;
const PLACING = /^preprocess\.(?:split|seed|test_size|folds|fold)$/;

/**
 * Forecasts, before a run, on which share of its held-out rows the champion can be compared: rows are held out in the
 * order of their keys, so two splits share what their parts of that order share. Rows that came since are new anyway.
 *
 * @returns null when the change costs nothing, or only the data can tell (a split by time).
 */
export function forecastUnseen(champion: FlatParams, candidate: FlatParams): UnseenForecast | null {
  const text = (params: FlatParams, name: string): string | undefined =>
    params[name] === undefined ? undefined : String(params[name]);
  const names = [...new Set([...Object.keys(champion), ...Object.keys(candidate)])].sort();
  const changed = names.filter((name) => text(champion, name) !== text(candidate, name));
  const naming = changed.filter((name) => NAMING.test(name));
  const placing = changed.filter((name) => PLACING.test(name));
  const because = [...naming, ...placing].map(
    (name) => `${name} ${text(champion, name) ?? '(none)'} → ${text(candidate, name) ?? '(none)'}`,
  );
  const before = heldOut(champion);
  const now = heldOut(candidate);
  if (because.length === 0 || before === null || now === null) return null;
  const redrawn = naming.length > 0 || before.by !== now.by || before.seed !== now.seed;
  const both = Math.max(0, Math.min(before.to, now.to) - Math.max(before.from, now.from));
  const share = redrawn ? before.to - before.from : both / (now.to - now.from);
  return share > 0.99 ? null : { share, because };
}

/** The part of the order of keys that is held out; null for a split by time. */
function heldOut(
  params: FlatParams,
): { by: 'rows' | 'groups'; seed: string; from: number; to: number } | null {
  const split = String(params['preprocess.split']);
  const seed = String(params['preprocess.seed']);
  if (split === 'time') return null;
  if (split === 'k-fold') {
    const folds = Number(params['preprocess.folds']);
    const fold = Number(params['preprocess.fold']);
    return { by: 'rows', seed, from: fold / folds, to: (fold + 1) / folds };
  }
  const to = Number(params['preprocess.test_size']);
  return { by: split === 'grouped' ? 'groups' : 'rows', seed, from: 0, to };
}

/** The forecast in one sentence. @param champion `version 3` */
export function forecastText({ share, because }: UnseenForecast, champion: string): string {
  const left =
    share < 0.005
      ? `${champion} was trained on all held-out rows that it knows, so the two are compared on rows that came since, if there are enough (promote.min_rows)`
      : `${champion} was trained on most of the held-out rows that it knows: the two are compared on about ${Math.round(share * 100)} % of them, and on rows that came since`;
  return `${because.join(', ')}: ${share >= 0.5 ? left.replace('most', 'some') : left}`;
}
