import { type Evaluation, type Scores } from '../../contracts/stage';
import { lowerIsBetter } from '../../contracts/task-metrics';

/** The baseline that knows nothing of a row, by its algorithm. */
const IGNORANT: readonly string[] = ['majority', 'mean'];

/** Metrics on which a model that knows nothing has a value that does not depend on the data. */
const CHANCE: Readonly<Record<string, number>> = { roc_auc: 0.5, r2: 0 };

/**
 * Whether a candidate knows anything of its rows: it is better than the most frequent class, or the mean, on the metric
 * that decides, or better than chance on roc_auc or r2, in both cases by the whole of its confidence interval. A model of
 * balanced weights may lose accuracy and be good, which is why one of them is enough.
 *
 * @returns One reason for people, or null when it does, or when there is nothing to hold it against.
 */
export function noBetterThanBaseline(
  { candidate, baselines = [], rows }: Pick<Evaluation, 'candidate' | 'baselines' | 'rows'>,
  metric: string,
): string | null {
  const baseline = baselines.find(({ algorithm }) => IGNORANT.includes(algorithm));
  const its = baseline?.scores.metrics[metric];
  if (baseline === undefined || its === undefined || candidate.metrics[metric] === undefined) return null;
  if (isBetter(candidate, metric, its)) return null;
  const chance = Object.entries(CHANCE).filter(([name]) => candidate.metrics[name] !== undefined);
  if (chance.some(([name, value]) => isBetter(candidate, name, value))) return null;
  const others = chance
    .filter(([name]) => name !== metric)
    .map(([name]) => `, and ${shown(candidate, name)}`);
  return `no better than ${baseline.algorithm === 'mean' ? 'the mean' : 'the most frequent class'} on these ${rows} rows: ${shown(candidate, metric)} against ${its.toFixed(3)}${others.join('')}; to promote it all the same, set promote.beat_baseline: false`;
}

function isBetter({ metrics, intervals }: Scores, metric: string, limit: number): boolean {
  const value = metrics[metric] ?? Number.NaN;
  const [low, high] = intervals?.[metric] ?? [value, value];
  return lowerIsBetter(metric) ? high < limit : low > limit;
}

function shown({ metrics, intervals }: Scores, metric: string): string {
  const interval = intervals?.[metric];
  const between = interval === undefined ? '' : ` (${interval[0].toFixed(3)} to ${interval[1].toFixed(3)})`;
  return `${metric} ${(metrics[metric] ?? Number.NaN).toFixed(3)}${between}`;
}
