import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Scores } from '../../../contracts/stage';
import { classificationScores } from '../../../ml/metrics/classification';

interface Case {
  name: string;
  classes: number;
  truth: number[];
  predicted: number[];
  accuracy: number;
  precision: number;
  recall: number;
  f1_score: number;
  perClass: Omit<Scores['perClass'][number], 'label'>[];
  confusion: number[][];
}

const { cases } = JSON.parse(
  readFileSync(join(__dirname, '../../fixtures/metrics/classification.json'), 'utf8'),
) as { cases: Case[] };

const names = (classes: number): string[] => Array.from({ length: classes }, (_, k) => `class ${k}`);

describe('classificationScores', () => {
  it.each(cases)('equals scikit-learn to 1e-9: $name', (expected) => {
    const scores = classificationScores(
      Uint32Array.from(expected.truth),
      Uint32Array.from(expected.predicted),
      names(expected.classes),
    );
    for (const metric of ['accuracy', 'precision', 'recall', 'f1_score'] as const) {
      expect(Math.abs((scores.metrics[metric] ?? Number.NaN) - expected[metric])).toBeLessThan(1e-9);
    }
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

  it('does not depend on how the classes are numbered', () => {
    const [first] = cases;
    const truth = Uint32Array.from(first?.truth ?? []);
    const predicted = Uint32Array.from(first?.predicted ?? []);
    const swapped = classificationScores(
      truth.map((label) => 1 - label),
      predicted.map((label) => 1 - label),
      names(2),
    );
    expect(swapped.metrics).toEqual(classificationScores(truth, predicted, names(2)).metrics);
  });

  it('refuses class numbers that have no name, and lists of unequal length', () => {
    expect(() => classificationScores(Uint32Array.of(0), Uint32Array.of(2), names(2))).toThrow(RangeError);
    expect(() => classificationScores(Uint32Array.of(0), Uint32Array.of(0, 1), names(2))).toThrow(RangeError);
  });
});
