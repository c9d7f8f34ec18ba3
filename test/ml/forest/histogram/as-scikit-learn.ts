import { TrainParams } from '../../../../contracts/params';
import type { LabelledMatrix, ValuedMatrix } from '../../../../ml/dataset/matrix';
import { predict } from '../../../../ml/model/model';
import { trainerFor } from '../../../../ml/trainer/catalog';
import type { Trained } from '../../../../ml/trainer/trainer';
import { classificationSet, regressionSet, SCORES, type Spread } from '../data-sets';
import { accuracy, rocAuc, rSquared } from '../scores';

const SEEDS = [1, 2, 3];

/** The params of the variants in make_fixtures.py. */
const VARIANTS: Record<string, object> = {
  'random-forest': { algorithm: 'random-forest' },
  entropy: { algorithm: 'random-forest', criterion: 'entropy' },
  balanced: { algorithm: 'random-forest', class_weight: 'balanced', min_samples_leaf: 5 },
  'extra-trees': { algorithm: 'extra-trees' },
};

function train(table: LabelledMatrix | ValuedMatrix, params: object, seed: number): Promise<Trained> {
  const full = TrainParams.parse({ engine: 'histogram', seed, ...params });
  return trainerFor(full.algorithm, 'histogram').train(table, full, { threads: 0 });
}

const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Our mean over 3 seeds lies where scikit-learn's 20 seeds lie, give or take one row of the held-out ones. */
function expectWithin(found: number[], spread: Spread, slack: number): void {
  expect(mean(found)).toBeGreaterThanOrEqual(spread.least - slack);
  expect(mean(found)).toBeLessThanOrEqual(spread.largest + slack);
}

/** Each plain forest and variant that the table has scores of is held against them. */
export function classifiesAsScikitLearn(name: string): void {
  const { train: rows, held } = classificationSet(name);
  const scored = SCORES.classification[name];

  // The plain forest on every set; of the variants, one per generated set in turn, and all on the real ones.
  const number = /generated-(\d+)/.exec(name)?.[1];
  const variants = Object.keys(VARIANTS).filter(
    (_, v) => v === 0 || number === undefined || v === 1 + (Number(number) % 3),
  );

  test.each(variants)('%s scores as scikit-learn’s does', async (variant) => {
    const spreads = scored?.models[variant];
    if (scored === undefined || spreads === undefined) throw new Error(`no scores of ${variant}`);
    const plain = variant === 'random-forest';
    const params = { ...VARIANTS[variant], ...(plain ? { oob_score: true } : {}) };
    const found = await Promise.all(SEEDS.map((seed) => train(rows, params, seed)));
    const predictions = found.map(({ model }) => predict(model, held));
    expectWithin(
      predictions.map((p) => accuracy(p, held.labels, held.classes)),
      spreads.accuracy,
      1 / held.rows,
    );
    expectWithin(
      predictions.map((p) => rocAuc(p, held.labels, held.classes)),
      spreads.auc,
      0.005,
    );
    if (!plain) return;
    expectWithin(
      found.map(({ oobScore }) => oobScore ?? NaN),
      scored.oob,
      1 / rows.rows,
    );
    scored.importances.forEach((theirs, f) => {
      const ours = mean(found.map(({ importances }) => importances?.[f] ?? NaN));
      expect(Math.abs(ours - theirs)).toBeLessThan(0.05);
    });
  });
}

/** As `classifiesAsScikitLearn`, of a table with a number as its target. */
export function regressesAsScikitLearn(name: string): void {
  const { train: rows, held } = regressionSet(name);
  const scored = SCORES.regression[name];

  test.each([
    ['random-forest', { oob_score: true }],
    ['extra-trees', { min_samples_leaf: 2 }],
  ])('%s scores as scikit-learn’s does', async (algorithm, options) => {
    const found = await Promise.all(SEEDS.map((seed) => train(rows, { algorithm, ...options }, seed)));
    const spread = scored?.models[algorithm]?.r2;
    if (scored === undefined || spread === undefined) throw new Error(`no scores of ${algorithm}`);
    const scores = found.map(({ model }) => rSquared(predict(model, held), held.targets));
    expectWithin(scores, spread, 0.005);
    if (!('oob_score' in options)) return;
    const outOfBag = found.map(({ oobScore }) => oobScore ?? NaN);
    expectWithin(outOfBag, scored.oob, 0.005);
  });
}
