import { type CalibrationSet, estimateMetrics } from '../../../ml/performance/estimate';
import { type Answered } from '../../../ml/performance/expected-metrics';
import { chanceOfShortfall, type Drawn, drawMetrics, intervalOf } from '../../../ml/performance/shortfall';
import { regressionScores } from '../../../ml/metrics/regression';
import { classificationScores } from '../../../ml/metrics/classification';
import { Random } from '../../../ml/random/random';

// One feature x; the truth is 1 by the chance of a logistic curve, and the model knows the curve, told too boldly.

const curve = (x: number): number => 1 / (1 + Math.exp(-2 * x));

interface World {
  /** Mean of x. */
  shift: number;
  /** The truth by chance: changes where the concept drifts. */
  truth: (x: number) => number;
}

function rowsOf(random: Random, rows: number, { shift, truth }: World): CalibrationSet {
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
  const xs = Float64Array.from({ length: rows }, () => normal() + shift);
  const scores = xs.map((x) => curve(2.5 * x));
  return {
    answered: { scores, positive: Uint8Array.from(scores, (score) => (score >= 0.5 ? 1 : 0)) },
    outcomes: Uint8Array.from(xs, (x) => (random.float() < truth(x) ? 1 : 0)),
  };
}

function trueMetrics({ answered, outcomes }: CalibrationSet): Record<string, number> {
  return classificationScores(
    Uint32Array.from(outcomes),
    Uint32Array.from(answered.positive ?? []),
    ['0', '1'],
    1,
  ).metrics;
}

const OPTIONS = { level: 0.95, seed: 1, draws: 60 };

test('where other rows come (covariate shift), the estimate follows the truth, within its interval', async () => {
  const [counts, wide]: [Record<string, number>, string[]] = [{}, ['accuracy', 'f1_score', 'roc_auc']];
  let falls = 0;
  for (let world = 0; world < 20; world++) {
    const random = new Random(world, 7);
    const known = rowsOf(random, 800, { shift: 1.2, truth: curve });
    // Nearer to where the model does not know.
    const now = rowsOf(random, 500, { shift: 0.1, truth: curve });
    const estimate = await estimateMetrics(known, now.answered, OPTIONS);
    const truth = trueMetrics(now);
    for (const metric of wide.filter((name) => name in truth)) {
      const { value, low, high } = estimate[metric]!;
      expect(Math.abs(value - truth[metric]!)).toBeLessThan(0.08);
      if (truth[metric]! >= low && truth[metric]! <= high) counts[metric] = (counts[metric] ?? 0) + 1;
    }
    const { accuracy } = estimate;
    if (chanceOfShortfall('accuracy', accuracy!.difference, 0) < 0.01) falls += 1;
  }
  // 95 % of 20 is 19; fewer than 15 would come by a chance of 1 in 3,000 (binomial).
  expect(counts['accuracy']).toBeGreaterThanOrEqual(15);
  expect(counts['f1_score']).toBeGreaterThanOrEqual(15);
  // And the fall is seen for what it is.
  expect(falls).toBeGreaterThanOrEqual(18);
});

test('where the truth changes (concept drift), it cannot see it: only labels tell', async () => {
  const random = new Random(3);
  const known = rowsOf(random, 1500, { shift: 0, truth: curve });
  const now = rowsOf(random, 1500, { shift: 0, truth: (x) => curve(-x) });
  const { accuracy } = await estimateMetrics(known, now.answered, OPTIONS);
  expect(trueMetrics(now)['accuracy']).toBeLessThan(0.35);
  expect(accuracy!.value).toBeGreaterThan(0.7);
});

test('where nothing changes, it alarms no more often than the rate that is set', async () => {
  let alarms = 0;
  for (let world = 0; world < 60; world++) {
    const random = new Random(world, 11);
    const known = rowsOf(random, 600, { shift: 0.5, truth: curve });
    const now = rowsOf(random, 300, { shift: 0.5, truth: curve });
    const { accuracy } = await estimateMetrics(known, now.answered, { ...OPTIONS, seed: world });
    if (chanceOfShortfall('accuracy', accuracy!.difference, 0) < 0.05) alarms += 1;
  }
  // 5 % of 60 is 3; more than 10 come by a chance of 1 in 3,000.
  expect(alarms).toBeLessThanOrEqual(10);
});

test('no rows, no estimate', async () => {
  const none: Answered = { scores: new Float64Array(), positive: null };
  expect(await estimateMetrics({ answered: none, outcomes: new Uint8Array() }, none, OPTIONS)).toEqual({});
});

describe('chanceOfShortfall', () => {
  const hits = async (random: Random, rows: number, rate: number): Promise<Drawn> => {
    const right = Uint8Array.from({ length: rows }, () => (random.float() < rate ? 1 : 0));
    const drawn = await drawMetrics(
      {
        rows,
        measure: (weights) => {
          let [hit, total] = [0, 0];
          right.forEach((one, row) => {
            hit += one * (weights?.[row] ?? 1);
            total += weights?.[row] ?? 1;
          });
          return { accuracy: hit / total };
        },
      },
      random.uint32(),
      60,
    );
    return drawn['accuracy']!;
  };

  it.each([
    [60, 0.9],
    [500, 0.97],
  ])('alarms as rarely as is set where nothing changed: %i labels, accuracy %d', async (rows, rate) => {
    let alarms = 0;
    for (let world = 0; world < 100; world++) {
      const random = new Random(world, rows);
      const chance = chanceOfShortfall(
        'accuracy',
        await hits(random, rows, rate),
        await hits(random, 400, rate),
      );
      if (chance < 0.05) alarms += 1;
    }
    // 5 are expected; more than 14 come by a chance of 1 in 5,000.
    expect(alarms).toBeLessThanOrEqual(14);
  });

  it('sees a fall, and takes the interval and not the value: few rows that are as bad say nothing', async () => {
    const random = new Random(5);
    expect(chanceOfShortfall('accuracy', await hits(random, 800, 0.8), 0.9)).toBeLessThan(1e-6);
    expect(chanceOfShortfall('accuracy', await hits(random, 12, 0.8), 0.9)).toBeGreaterThan(0.01);
    expect(chanceOfShortfall('accuracy', await hits(random, 800, 0.95), 0.9)).toBe(1);
  });

  it('knows errors, of which less is better, and draws that cannot be had', async () => {
    const random = new Random(6);
    const truth = Float64Array.from({ length: 300 }, () => random.float() * 10);
    const off = (by: number): Float64Array => truth.map((value) => value + by * (random.float() - 0.5));
    const draws = async (by: number): ReturnType<typeof drawMetrics> => {
      const predicted = off(by);
      return drawMetrics(
        { rows: 300, measure: (weights) => regressionScores(truth, predicted, weights) },
        1,
        100,
      );
    };
    const [small, large] = [await draws(1), await draws(4)];
    for (const metric of ['rmse', 'mae', 'r2']) {
      expect(chanceOfShortfall(metric, large[metric]!, small[metric]!)).toBeLessThan(1e-6);
      expect(chanceOfShortfall(metric, small[metric]!, large[metric]!)).toBe(1);
    }
    expect(intervalOf(small['rmse']!, 0.95)?.low).toBeLessThan(small['rmse']!.value);
    expect(intervalOf({ value: 1, draws: [] }, 0.95)).toBeNull();
    expect(await drawMetrics({ rows: 3, measure: () => ({ r2: Number.NaN }) }, 1)).toEqual({});
  });
});
