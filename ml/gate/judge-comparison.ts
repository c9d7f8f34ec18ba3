import { type Comparison } from '../../contracts/comparison';
import { listed } from '../../contracts/errors';
import { ALIAS } from '../../contracts/names';
import { nearest } from '../../contracts/nearest';
import { type PromoteParams } from '../../contracts/params';
import { type ComparisonFigures } from '../../contracts/run';
import { lowerIsBetter } from '../../contracts/task-metrics';
import { digitsApart, rowsText, shownApart, signed, thousands } from './number-text';
import { intervalOf } from './paired-difference';

/** What params.yaml says about promotion. */
export interface PromotionPolicy extends Omit<PromoteParams, 'metric' | 'approval' | 'legacy_stages'> {
  /** The metric that decides. */
  metric: string;
  /** Level of the interval that is told when `confidence` asks for none. */
  intervalLevel: number;
}

export interface Judgement {
  promote: boolean;
  /** One sentence for people. */
  reason: string;
  figures: ComparisonFigures | null;
}

/** What to do about a champion that will never be comparable again: nobody but a person can know that. */
export const REPLACE_BY_HAND = `if it is to be replaced all the same, set the alias ${ALIAS.production} to this version by hand`;

/** Sums and products of shares, such as 0.95 - 0.93, are off by less than this. */
const ROUNDING = 1e-12;

/**
 * Holds a candidate against the champion by the policy; pure. The candidate must be strictly better in the policy's
 * metric, by `min_improvement` at least, beyond chance where `confidence` says so, and no worse than `guard` and
 * `slices` allow.
 *
 * @param championName such as `version 3`
 */
export function judgeComparison(
  comparison: Comparison,
  championName: string,
  policy: PromotionPolicy,
): Judgement {
  const { metric } = policy;
  const barred = notComparable(comparison, championName, policy);
  if (barred !== null) return { promote: false, reason: barred, figures: null };
  const mine = comparison.candidate[metric];
  const its = comparison.champion[metric];
  if (mine === undefined || its === undefined) {
    const whose = mine === undefined ? 'this version' : championName;
    return {
      promote: false,
      reason: `${whose} gives no ${metric} on these ${rowsText(comparison.rows)} to compare with, as a model that lacks probabilities or one of the classes; compare by another promote.metric, or ${REPLACE_BY_HAND}`,
      figures: null,
    };
  }
  const figures = figuresOf(comparison, mine, its, policy);
  const told = chanceText(figures);
  const where = rowsCompared(comparison, championName);
  const [shownMine, shownIts] = shownApart(mine, its);
  const gain = lowerIsBetter(metric) ? its - mine : mine - its;
  if (Math.abs(gain) <= ROUNDING) {
    return {
      promote: false,
      reason: `${metric} ${shownMine} only equals ${championName}'s ${where}${told}`,
      figures,
    };
  }
  if (gain < 0) {
    const side = lowerIsBetter(metric) ? 'above' : 'below';
    const reason = `${metric} ${shownMine} is ${side} ${championName}'s ${shownIts} ${where}${told}`;
    return { promote: false, reason, figures };
  }
  const beats = `${metric} ${shownMine} beats ${championName}'s ${shownIts} ${where}${told}`;
  const objections = [
    ...(gain < policy.min_improvement - ROUNDING
      ? [`by less than promote.min_improvement, ${policy.min_improvement}`]
      : []),
    ...chanceObjection(figures, policy),
    ...guardObjections(comparison, championName, policy),
    ...sliceObjections(comparison, championName, policy),
  ];
  return objections.length === 0
    ? { promote: true, reason: beats, figures }
    : { promote: false, reason: `${beats}, but ${objections.join('; and ')}`, figures };
}

/** Why the two cannot be told apart on these rows, and what to do; null: they can. */
function notComparable(
  { rows, heldOut, seenByChampion, unknown }: Comparison,
  championName: string,
  policy: PromotionPolicy,
): string | null {
  if (unknown !== null && policy.unseen === 'required') {
    return `${championName} cannot be compared fairly, which promote.unseen: required asks for: ${unknown}; ${REPLACE_BY_HAND}`;
  }
  if (rows >= policy.min_rows) return null;
  const left =
    rows === 0 && seenByChampion === heldOut
      ? `${championName} was trained on all ${rowsText(heldOut, 'held-out row')}, so none is left to compare on`
      : `${rows === 0 ? 'none' : `only ${thousands(rows)}`} of ${rowsText(heldOut, 'held-out row')} ${rows === 1 ? 'is' : 'are'} left to compare on, fewer than promote.min_rows, ${policy.min_rows}${unknown === null ? ` (neither ${championName} nor this one was trained on them)` : ''}`;
  return `${left}; add rows, or split as ${championName} did (preprocess.seed, split, test_size and columns); to promote it all the same: retrain promote MODEL@VERSION --reason …`;
}

function figuresOf(
  { rows, heldOut, seenByChampion, differences }: Comparison,
  candidate: number,
  champion: number,
  { metric, confidence, intervalLevel }: PromotionPolicy,
): ComparisonFigures {
  const difference = differences[metric];
  const level = confidence ?? intervalLevel;
  const interval = difference === undefined ? null : intervalOf(difference, level);
  return {
    ...{ metric, rows, heldOut, seenByChampion, candidate, champion },
    difference: candidate - champion,
    interval: interval === null ? null : { low: interval[0], high: interval[1], level },
  };
}

/** `: +0.012, 95 % interval −0.001 … +0.024` */
function chanceText({ candidate, champion, difference, interval }: ComparisonFigures): string {
  if (interval === null) return '';
  const digits = digitsApart(candidate, champion);
  const ends = `${signed(interval.low, digits)} … ${signed(interval.high, digits)}`;
  return `: ${signed(difference, digits)}, ${Number((interval.level * 100).toPrecision(6))} % interval ${ends}`;
}

function rowsCompared(
  { rows, heldOut, seenByChampion, seenByCandidate, unknown }: Comparison,
  championName: string,
): string {
  if (unknown !== null) {
    const all = rows === heldOut ? `all ${rowsText(rows, 'held-out row')}` : rowsText(rows, 'held-out row');
    return `on ${all}, of which ${championName} may have been trained on some (${unknown})`;
  }
  const left = [
    ...(seenByChampion === null || seenByChampion === 0
      ? []
      : [`${thousands(seenByChampion)} that ${championName} was trained on`]),
    ...(seenByCandidate === 0 ? [] : [`${thousands(seenByCandidate)} that this one was trained on`]),
  ];
  const aside =
    left.length === 0
      ? ''
      : ` (${left.join(' and ')} ${(seenByChampion ?? 0) + seenByCandidate === 1 ? 'is' : 'are'} left out)`;
  return `on ${rowsText(rows, 'held-out row')} that neither has seen${aside}`;
}

function chanceObjection({ metric, interval }: ComparisonFigures, { confidence }: PromotionPolicy): string[] {
  if (confidence === undefined) return [];
  if (interval === null) return ['no interval could be drawn, which promote.confidence needs'];
  const beyond = lowerIsBetter(metric) ? interval.high < 0 : interval.low > 0;
  return beyond ? [] : [`that may be chance: the interval of promote.confidence, ${confidence}, holds 0`];
}

function guardObjections(
  { candidate, champion }: Comparison,
  championName: string,
  { guard }: PromotionPolicy,
): string[] {
  return Object.entries(guard).flatMap(([metric, most]) => {
    const mine = candidate[metric];
    const its = champion[metric];
    if (most === undefined) return [];
    if (mine === undefined || its === undefined) {
      return [
        `${mine === undefined ? 'this version' : championName} gives no ${metric}, which promote.guard names`,
      ];
    }
    const loss = lowerIsBetter(metric) ? mine - its : its - mine;
    if (loss <= most + ROUNDING) return [];
    const [shownMine, shownIts] = shownApart(mine, its);
    return [
      `${metric} ${shownMine} is worse than its ${shownIts} by more than promote.guard.${metric}, ${most}`,
    ];
  });
}

/** Slices tell accuracy, or the mean absolute error of a regression, where the bound is a share of the champion's. */
function sliceObjections(
  { slices, sliced, champion }: Comparison,
  championName: string,
  { slices: columns, slice_bound: bound, slice_rows: least }: PromotionPolicy,
): string[] {
  const isError = champion['mae'] !== undefined;
  return columns.flatMap((column) => {
    if (!sliced.includes(column)) {
      const guess = nearest(column, sliced);
      const hint = guess === undefined ? `they have ${listed(sliced, 12)}` : `did you mean "${guess}"?`;
      return [`the held-out rows have no column "${column}", which promote.slices names; ${hint}`];
    }
    const worse = slices.filter(
      (one) =>
        one.column === column &&
        one.rows >= least &&
        (isError
          ? one.candidate > one.champion * (1 + bound) + ROUNDING
          : one.champion - one.candidate > bound + ROUNDING),
    );
    const [worst] = worse.sort(
      (a, b) => Math.abs(b.candidate - b.champion) - Math.abs(a.candidate - a.champion),
    );
    if (worst === undefined) return [];
    const [mine, its] = shownApart(worst.candidate, worst.champion);
    const more = worse.length === 1 ? '' : `, and ${worse.length - 1} more`;
    return [
      `where ${column} is ${worst.slice} (${rowsText(worst.rows)}), ${isError ? 'mae' : 'accuracy'} ${mine} is worse than ${championName}'s ${its} by more than promote.slice_bound, ${bound}${more}`,
    ];
  });
}
