import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrapIntervals } from '../../../ml/metrics/bootstrap';
import {
  brierLosses,
  calibration,
  logLosses,
  type Probabilities,
  weightedMean,
} from '../../../ml/metrics/probabilities';
import { quantile } from '../../../ml/metrics/quantile';
import { Ranking, thinned } from '../../../ml/metrics/ranking';
import { regressionScores } from '../../../ml/metrics/regression';
import { Random } from '../../../ml/random/random';
import { chooseThreshold, crossFitThreshold, type Cutoff } from '../../../ml/metrics/threshold';

interface Binary extends Record<string, unknown> {
  name: string;
  truth: number[];
  scores: number[];
  weights: number[];
  roc_auc: number;
  roc_auc_weighted: number;
  pr_auc: number;
  pr_auc_weighted: number;
  log_loss: number;
  log_loss_weighted: number;
  brier_score: number;
  brier_score_weighted: number;
  fpr: number[];
  tpr: number[];
  precision: number[];
  recall: number[];
  best_f1: number;
  calibration: { predicted: number[]; observed: number[] };
}

interface Multiclass {
  name: string;
  classes: number;
  truth: number[];
  probabilities: number[];
  roc_auc: number;
  pr_auc: number;
  log_loss: number;
  brier_score: number;
}

interface Regression extends Record<string, unknown> {
  name: string;
  truth: number[];
  predicted: number[];
  weights: number[];
}

const fixture = JSON.parse(
  readFileSync(join(__dirname, '../../fixtures/metrics/probabilities.json'), 'utf8'),
) as { binary: Binary[]; multiclass: Multiclass[]; regression: Regression[] };

const near = (seen: number | undefined, expected: unknown): void => {
  expect(Math.abs((seen ?? Number.NaN) - (expected as number))).toBeLessThan(1e-9);
};

const allNear = (seen: readonly number[], expected: readonly number[]): void => {
  expect(seen).toHaveLength(expected.length);
  for (const [i, value] of seen.entries()) near(value, expected[i]);
};

const logLoss = (truth: Uint32Array, said: Probabilities, weights?: number[]): number =>
  weightedMean(logLosses(truth, said), weights);

const brierScore = (truth: Uint32Array, said: Probabilities, weights?: number[]): number =>
  weightedMean(brierLosses(truth, said), weights);

const both = (scores: readonly number[]): Probabilities => ({
  values: Float64Array.from(scores.flatMap((score) => [1 - score, score])),
  classes: 2,
});

describe('two classes equal scikit-learn to 1e-9', () => {
  it.each(fixture.binary)('$name', (expected) => {
    const positive = Uint8Array.from(expected.truth);
    const scores = Float64Array.from(expected.scores);
    const truth = Uint32Array.from(expected.truth);
    const ranking = new Ranking(positive, scores);
    near(ranking.rocAuc(), expected.roc_auc);
    near(ranking.rocAuc(expected.weights), expected.roc_auc_weighted);
    near(ranking.averagePrecision(), expected.pr_auc);
    near(ranking.averagePrecision(expected.weights), expected.pr_auc_weighted);
    near(logLoss(truth, both(expected.scores)), expected.log_loss);
    near(logLoss(truth, both(expected.scores), expected.weights), expected.log_loss_weighted);
    near(brierScore(truth, both(expected.scores)), expected.brier_score);
    near(brierScore(truth, both(expected.scores), expected.weights), expected.brier_score_weighted);
    const roc = ranking.rocCurve();
    allNear(
      roc.map(({ x }) => x),
      expected.fpr,
    );
    allNear(
      roc.map(({ y }) => y),
      expected.tpr,
    );
    const pr = ranking.precisionRecallCurve();
    allNear(
      pr.map(({ x }) => x),
      expected.recall,
    );
    allNear(
      pr.map(({ y }) => y),
      expected.precision,
    );
    const bins = calibration(positive, scores);
    allNear(
      bins.map((bin) => bin.predicted),
      expected.calibration.predicted,
    );
    allNear(
      bins.map((bin) => bin.observed),
      expected.calibration.observed,
    );
    near(chooseThreshold(positive, scores, { maximize: 'f1' })?.f1, expected.best_f1);
  });
});

describe('many classes equal scikit-learn to 1e-9, one against the rest', () => {
  it.each(fixture.multiclass)('$name', ({ classes, truth, probabilities, ...expected }) => {
    const values = Float64Array.from(probabilities);
    const rankings = Array.from(
      { length: classes },
      (_, k) =>
        new Ranking(
          Uint8Array.from(truth, (label) => (label === k ? 1 : 0)),
          Float64Array.from(truth, (__, i) => values[i * classes + k] ?? 0),
        ),
    );
    const mean = (of: (ranking: Ranking) => number): number =>
      rankings.reduce((sum, ranking) => sum + of(ranking), 0) / classes;
    near(
      mean((ranking) => ranking.rocAuc()),
      expected.roc_auc,
    );
    near(
      mean((ranking) => ranking.averagePrecision()),
      expected.pr_auc,
    );
    near(logLoss(Uint32Array.from(truth), { values, classes }), expected.log_loss);
    near(brierScore(Uint32Array.from(truth), { values, classes }), expected.brier_score);
  });
});

describe('regression equals scikit-learn to 1e-9', () => {
  it.each(fixture.regression)('$name', (expected) => {
    const truth = Float64Array.from(expected.truth);
    const predicted = Float64Array.from(expected.predicted);
    const plain = regressionScores(truth, predicted);
    const weighted = regressionScores(truth, predicted, expected.weights);
    for (const metric of ['r2', 'mae', 'rmse']) {
      near(plain[metric], expected[metric]);
      near(weighted[metric], expected[`${metric}_weighted`]);
    }
  });
});

describe('cut-offs', () => {
  const positive = Uint8Array.of(1, 0, 1, 1, 0, 0);
  const scores = Float64Array.of(0.9, 0.8, 0.7, 0.4, 0.3, 0.1);

  it('reach the recall that is asked for at the highest threshold', () => {
    expect(chooseThreshold(positive, scores, { recall: 0.6 })).toMatchObject({
      threshold: 0.7,
      recall: 2 / 3,
    });
    expect(chooseThreshold(positive, scores, { recall: 1 })).toMatchObject({
      threshold: 0.4,
      falsePositives: 1,
    });
  });

  it('move with the costs of the two mistakes', () => {
    const at = (false_positive: number, false_negative: number): number | undefined =>
      chooseThreshold(positive, scores, { cost: { false_positive, false_negative } })?.threshold;
    expect(at(1, 10)).toBe(0.4);
    expect(at(10, 1)).toBe(0.9);
  });

  it('do not exist when one class does not occur', () => {
    expect(
      chooseThreshold(Uint8Array.of(1, 1), Float64Array.of(0.1, 0.2), { maximize: 'f1' }),
    ).toBeUndefined();
  });
});

describe('bootstrap intervals', () => {
  const rightness = Uint8Array.from({ length: 400 }, (_, i) => (i < 320 ? 1 : 0));
  const accuracy = (weights: Float64Array): Record<string, number> => {
    let right = 0;
    for (const [i, weight] of weights.entries()) right += weight * (rightness[i] ?? 0);
    return { accuracy: right / 400 };
  };

  it('of an accuracy are as wide as the binomial distribution says', () => {
    const { accuracy: interval } = bootstrapIntervals(400, accuracy, {
      resamples: 2000,
      level: 0.95,
      seed: 1,
    });
    const [low, high] = interval ?? [0, 0];
    // scipy.stats.binom.ppf([0.025, 0.975], 400, 0.8) / 400 = [0.76, 0.8375]
    expect(low).toBeCloseTo(0.76, 2);
    expect(high).toBeCloseTo(0.8375, 2);
  });

  it('depend on the seed only', () => {
    const options = { resamples: 50, level: 0.9, seed: 5 };
    expect(bootstrapIntervals(400, accuracy, options)).toEqual(bootstrapIntervals(400, accuracy, options));
    expect(bootstrapIntervals(400, accuracy, options)).not.toEqual(
      bootstrapIntervals(400, accuracy, { ...options, seed: 6 }),
    );
  });

  it('leave out what a draw cannot give', () => {
    expect(
      bootstrapIntervals(3, () => ({ roc_auc: Number.NaN }), { resamples: 5, level: 0.9, seed: 1 }),
    ).toEqual({});
  });

  it('interpolate quantiles as numpy does', () => {
    // numpy.quantile([1, 2, 4, 8], [0, 0.1, 0.5, 0.9, 1]) = [1, 1.3, 3, 6.8, 8]
    expect([0, 0.1, 0.5, 0.9, 1].map((share) => quantile([1, 2, 4, 8], share))).toEqual([
      1,
      1.3,
      3,
      expect.closeTo(6.8, 12) as number,
      8,
    ]);
  });
});

describe('thinned curves', () => {
  it('keep both ends', () => {
    const points = Array.from({ length: 1000 }, (_, i) => i);
    const few = thinned(points, 11);
    expect(few).toHaveLength(11);
    expect([few[0], few[10]]).toEqual([0, 999]);
  });
});

describe('a cross-fitted cut-off', () => {
  const random = new Random(3);
  const draw = (rows: number, signal: number): { positive: Uint8Array; scores: Float64Array } => {
    const positive = Uint8Array.from({ length: rows }, () => (random.below(10) < 2 ? 1 : 0));
    return {
      positive,
      scores: Float64Array.from(positive, (one) => random.below(1000) / 1000 + signal * one),
    };
  };
  const sum = ({ truePositives, falsePositives, falseNegatives, trueNegatives }: Cutoff): number =>
    truePositives + falsePositives + falseNegatives + trueNegatives;

  it('is the one that all rows choose, and judges every row once', () => {
    const { positive, scores } = draw(200, 0.5);
    const chosen = chooseThreshold(positive, scores, { maximize: 'f1' });
    const fitted = crossFitThreshold(positive, scores, { maximize: 'f1' }, 1);
    expect(fitted?.threshold).toBe(chosen?.threshold);
    expect(fitted && sum(fitted)).toBe(200);
  });

  it('promises less than the rows that it was chosen on', () => {
    // A single best cut-off on noise is luck, which other rows do not repeat.
    const gaps = Array.from({ length: 40 }, () => {
      const { positive, scores } = draw(60, 0.2);
      const naive = chooseThreshold(positive, scores, { maximize: 'f1' })?.f1 ?? 0;
      return naive - (crossFitThreshold(positive, scores, { maximize: 'f1' }, 1)?.f1 ?? 0);
    });
    expect(gaps.reduce((a, b) => a + b, 0) / gaps.length).toBeGreaterThan(0.05);
  });

  it('needs two rows of each class', () => {
    const positive = Uint8Array.of(0, 0, 1);
    expect(crossFitThreshold(positive, Float64Array.of(0.1, 0.2, 0.3), { recall: 0.5 }, 1)).toBeUndefined();
  });
});
