import { TrainParams } from '../../../contracts/train-params';
import { permutationImportance } from '../../../ml/model/permutation-importance';
import { histogramForest } from '../../../ml/trainer/histogram-forest';
import { accuracy } from '../forest/scores';
import { classificationSet } from '../forest/data-sets';

test('the petals of iris matter, its sepals hardly; a model that looks at nothing needs nothing', async () => {
  const { train, held } = classificationSet('iris');
  const { model } = await histogramForest.train(train, TrainParams.parse({ engine: 'histogram' }), {
    threads: 0,
  });
  const score = (p: Float64Array): number => accuracy(p, held.labels, 3);
  const options = { repeats: 10, seed: 1 };
  const found = await permutationImportance(model, held, score, options);
  // scikit-learn 1.9.1's permutation_importance, same split, mean over 5 forests.
  [0.003, -0.001, 0.336, 0.157].forEach((theirs, f) => {
    expect(Math.abs((found.mean[f] ?? NaN) - theirs)).toBeLessThan(0.12);
  });
  expect(found.deviation).toHaveLength(4);
  expect(await permutationImportance(model, held, score, options)).toEqual(found);

  const blind = await permutationImportance(model, held, () => 0.5, options);
  expect([...blind.mean]).toEqual([0, 0, 0, 0]);
});
