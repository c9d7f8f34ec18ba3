import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Metrics } from '../../contracts/stage';
import { drawWeights } from '../metrics/bootstrap';
import { quantile } from '../metrics/quantile';
import { Random } from '../random/random';
import { type Answered, byFallingScore, expectedMetrics } from './expected-metrics';
import { calibrated, calibrationRows, fitCalibrator } from './isotonic';
import { type Drawn } from './shortfall';

/** Held-out rows of a version: what it answered, and what came true. */
export interface CalibrationSet {
  answered: Answered;
  /** `[n]` 1 where the positive class, or the answered one, was true. */
  outcomes: Uint8Array;
}

export interface Estimate {
  value: number;
  /** What these rows' true metric will be, at the level that was asked for. */
  low: number;
  high: number;
  /** The same of the held-out rows themselves, where truth is known. */
  heldOut: number;
  /** The difference to the held-out rows, and draws of it with both drawn again: see `chanceOfShortfall`. */
  difference: Drawn;
}

const DRAWS = 200;

export interface EstimateOptions {
  /** Of the interval. */
  level: number;
  seed: number;
  /** Default 200. */
  draws?: number;
}

/**
 * Estimates the metrics of answers whose truth is not known yet: see `expectedMetrics`; chances are calibrated on held-out rows. It follows a
 * change of the rows (other customers), for which chances stay right. It is blind to a change of what is true (the same customers
 * behave otherwise): only labels tell that.
 *
 * The interval is by draws: of the held-out rows, by which the chances are calibrated again, and of the truth by these chances.
 *
 * @returns by metric; empty where there are no rows
 */
export async function estimateMetrics(
  { answered: known, outcomes }: CalibrationSet,
  answered: Answered,
  { level, seed, draws = DRAWS }: EstimateOptions,
): Promise<Record<string, Estimate>> {
  if (known.scores.length === 0 || answered.scores.length === 0) return {};
  const rows = calibrationRows(known.scores, outcomes);
  const order = byFallingScore(answered.scores);
  const knownOrder = byFallingScore(known.scores);
  const truth = Float64Array.from(outcomes);
  const chances = calibrated(fitCalibrator(rows), answered.scores);
  const value = expectedMetrics(answered, chances, order);
  const heldOut = expectedMetrics(known, truth, knownOrder);
  const [realised, differences]: [Metrics[], Metrics[]] = [[], []];
  const [knownWeights, weights] = [
    new Float64Array(known.scores.length),
    new Float64Array(answered.scores.length),
  ];
  for (let draw = 0; draw < draws; draw++) {
    // Heartbeats and requests get their turn.
    if (draw % 5 === 0) await nextTurn();
    drawWeights(knownWeights, seed, 2 * draw);
    drawWeights(weights, seed, 2 * draw + 1);
    const again = calibrated(fitCalibrator(rows, knownWeights), answered.scores);
    const random = new Random(seed, 1_000_000 + draw);
    const came = again.map((chance) => (random.float() < chance ? 1 : 0));
    realised.push(expectedMetrics(answered, came, order));
    const [now, before] = [
      expectedMetrics(answered, again, order, weights),
      expectedMetrics(known, truth, knownOrder, knownWeights),
    ];
    differences.push(
      Object.fromEntries(Object.entries(now).map(([metric, of]) => [metric, of - (before[metric] ?? NaN)])),
    );
  }
  const drawsOf = (all: readonly Metrics[], metric: string): Float64Array =>
    Float64Array.from(all, (one) => one[metric] ?? Number.NaN)
      .filter(Number.isFinite)
      .sort();
  return Object.fromEntries(
    Object.entries(value).flatMap(([metric, one]): [string, Estimate][] => {
      const before = heldOut[metric];
      const sorted = drawsOf(realised, metric);
      if (before === undefined || sorted.length < draws / 2) return [];
      const low = quantile(sorted, (1 - level) / 2);
      const high = quantile(sorted, (1 + level) / 2);
      const difference = { value: one - before, draws: [...drawsOf(differences, metric)] };
      return [[metric, { value: one, low, high, heldOut: before, difference }]];
    }),
  );
}
