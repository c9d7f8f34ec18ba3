import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Metrics, type Scores } from '../../../contracts/stage';
import { TASK_METRICS } from '../../../contracts/task-metrics';
import { bootstrapIntervals } from '../../../ml/metrics/bootstrap';
import { classificationScores } from '../../../ml/metrics/classification';
import {
  type ClassPredictions,
  MAX_CLASS_METRICS,
  measureClasses,
  scoreClasses,
} from '../../../ml/metrics/score-classes';

interface Case {
  name: string;
  classes: number;
  truth: number[];
  predicted: number[];
  weights: number[];
  /** By our names, as scikit-learn computes them. */
  metrics: Metrics;
  weighted: Metrics;
  /** Two classes: precision, recall and F1 of class 0. */
  negative: Metrics | null;
  perClass: Omit<Scores['perClass'][number], 'label'>[];
  confusion: number[][];
}

const { cases } = JSON.parse(
  readFileSync(join(__dirname, '../../fixtures/metrics/classification.json'), 'utf8'),
) as { cases: Case[] };

const names = (classes: number): string[] => Array.from({ length: classes }, (_, k) => `class ${k}`);

function scoresOf(
  { truth, predicted, classes }: Pick<Case, 'truth' | 'predicted' | 'classes'>,
  positive = classes === 2 ? 1 : undefined,
  weights?: number[],
): ReturnType<typeof classificationScores> {
  return classificationScores(
    Uint32Array.from(truth),
    Uint32Array.from(predicted),
    names(classes),
    positive,
    weights,
  );
}

/** Equal to 1e-9, metric by metric; the names must be the same too. */
function near(seen: Metrics, expected: Metrics): void {
  expect(Object.keys(seen).sort()).toEqual(Object.keys(expected).sort());
  for (const [metric, value] of Object.entries(expected)) {
    expect({ metric, off: Math.abs((seen[metric] ?? Number.NaN) - value) < 1e-9 }).toEqual({
      metric,
      off: true,
    });
  }
}

describe('classificationScores', () => {
  it.each(cases)('equals scikit-learn to 1e-9: $name', (expected) => {
    const scores = scoresOf(expected);
    near(scores.metrics, expected.metrics);
    expect(scores.confusion).toEqual(expected.confusion);
    for (const [k, wanted] of expected.perClass.entries()) {
      const seen = scores.perClass[k];
      expect(seen?.label).toBe(`class ${k}`);
      expect(seen?.support).toBe(wanted.support);
      for (const figure of ['precision', 'recall', 'f1'] as const) {
        expect(Math.abs((seen?.[figure] ?? Number.NaN) - wanted[figure])).toBeLessThan(1e-9);
      }
    }
  });

  it.each(cases)(
    'equals scikit-learn with sample weights, as a draw of the bootstrap has them: $name',
    (expected) => {
      near(scoresOf(expected, undefined, expected.weights).metrics, expected.weighted);
    },
  );

  it.each(cases.filter(({ classes }) => classes === 2))(
    'gives the figures of the class that is called positive: $name',
    (expected) => {
      const { precision = NaN, recall = NaN, f1_score = NaN } = scoresOf(expected, 0).metrics;
      near({ precision, recall, f1_score }, expected.negative ?? {});
    },
  );

  it('gives a rare class its own recall, not the mean with the frequent one', () => {
    const rare = cases.find(({ name }) => name === 'a rare class, seldom found');
    const { recall = NaN, recall_macro = NaN } = scoresOf(
      rare ?? { truth: [], predicted: [], classes: 2 },
    ).metrics;
    expect(recall).toBeLessThan(0.5);
    expect(recall_macro).toBeCloseTo((recall + 1) / 2, 12);
  });

  it('does not depend on how the classes are numbered', () => {
    const [first] = cases;
    const swap = (labels: readonly number[] = []): number[] => labels.map((label) => 1 - label);
    const swapped = scoresOf({ truth: swap(first?.truth), predicted: swap(first?.predicted), classes: 2 }, 0);
    near(swapped.metrics, scoresOf(first ?? { truth: [], predicted: [], classes: 2 }).metrics);
  });

  it('refuses class numbers that have no name, and lists of unequal length', () => {
    expect(() => scoresOf({ truth: [0], predicted: [2], classes: 2 })).toThrow(RangeError);
    expect(() => scoresOf({ truth: [0], predicted: [0, 1], classes: 2 })).toThrow(RangeError);
  });
});

describe('scoreClasses', () => {
  const said = (classes: number): ClassPredictions => ({
    truth: Uint32Array.from({ length: 60 }, (_, row) => row % classes),
    predicted: Uint32Array.from({ length: 60 }, (_, row) => (row < 30 ? row % classes : 0)),
    labels: names(classes),
    classes,
    probabilities: {
      values: Float64Array.from({ length: 60 * classes }, () => 1 / classes),
      classes,
    },
    positive: classes === 2 ? 1 : undefined,
  });
  const scored = (classes: number): Scores => scoreClasses(said(classes));

  it.each([2, 3])('makes every metric that params.yaml may name (%d classes)', (classes) => {
    expect(Object.keys(scored(classes).metrics)).toEqual(
      expect.arrayContaining([...TASK_METRICS.classification]),
    );
  });

  it('has the recall of each class among the metrics, with an interval', () => {
    const { metrics, perClass } = scored(3);
    const measure = measureClasses(said(3), 20);
    const intervals = bootstrapIntervals(60, measure, { resamples: 20, level: 0.9, seed: 1 });
    for (const { label, recall } of perClass) {
      expect(metrics[`recall.${label}`]).toBe(recall);
      expect(intervals[`recall.${label}`]).toHaveLength(2);
    }
  });

  it('leaves more classes than a list can hold to the table of classes', () => {
    const { metrics, perClass } = scored(MAX_CLASS_METRICS + 1);
    expect(Object.keys(metrics).filter((name) => name.startsWith('recall.'))).toEqual([]);
    expect(perClass).toHaveLength(MAX_CLASS_METRICS + 1);
  });
});
