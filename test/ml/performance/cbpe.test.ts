import { readFileSync } from 'node:fs';
import path from 'node:path';
import { byFallingScore, expectedMetrics } from '../../../ml/performance/expected-metrics';
import { calibrated, calibrationRows, fitCalibrator } from '../../../ml/performance/isotonic';

interface Case {
  scores: number[];
  outcomes: number[];
  asked: number[];
  answers: number[];
  chances: number[];
  metrics: Record<string, number>;
}

const { cases } = JSON.parse(
  readFileSync(path.join(__dirname, '../../fixtures/performance/cbpe.json'), 'utf8'),
) as { cases: Case[] };

describe.each(cases.map((one, number) => [number, one] as const))('case %i of plain numpy', (_, one) => {
  const asked = Float64Array.from(one.asked);
  const rows = calibrationRows(Float64Array.from(one.scores), Uint8Array.from(one.outcomes));
  const answered = { scores: asked, positive: Uint8Array.from(one.answers) };

  it('calibrates as scikit-learn’s isotonic regression, to 1e-9', () => {
    const chances = calibrated(fitCalibrator(rows), asked);
    chances.forEach((chance, row) => expect(Math.abs(chance - one.chances[row]!)).toBeLessThan(1e-9));
  });

  it('expects the metrics of the definition, to 1e-9', () => {
    const metrics = expectedMetrics(answered, Float64Array.from(one.chances), byFallingScore(asked));
    expect(Object.keys(metrics).sort()).toEqual(Object.keys(one.metrics).sort());
    for (const [name, value] of Object.entries(one.metrics))
      expect(Math.abs(metrics[name]! - value)).toBeLessThan(1e-9);
  });

  it('takes a weight for as many rows', () => {
    const weights = Float64Array.from(one.scores, (_score, row) => row % 3);
    const repeated = one.scores.flatMap((score, row) => new Array<number>(row % 3).fill(score));
    const outcomes = one.outcomes.flatMap((outcome, row) => new Array<number>(row % 3).fill(outcome));
    const whole = fitCalibrator(calibrationRows(Float64Array.from(repeated), Uint8Array.from(outcomes)));
    const weighted = fitCalibrator(rows, weights);
    expect([...weighted.scores]).toEqual([...whole.scores]);
    weighted.chances.forEach((chance, at) => expect(chance).toBeCloseTo(whole.chances[at]!, 12));
  });
});

test('more than two classes: the accuracy is the mean chance of the answers', () => {
  const scores = Float64Array.of(0.9, 0.5);
  expect(
    expectedMetrics({ scores, positive: null }, Float64Array.of(0.8, 0.4), byFallingScore(scores)),
  ).toEqual({
    accuracy: expect.closeTo(0.6, 12) as number,
  });
  const none = new Float64Array();
  expect(expectedMetrics({ scores: none, positive: null }, none, byFallingScore(none))).toEqual({});
});
