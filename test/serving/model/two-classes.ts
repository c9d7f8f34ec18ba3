import { type InputColumn, type TableSchema } from '../../../contracts/stage';
import { TrainParams } from '../../../contracts/train-params';
import { prepareMatrix, preparedNames } from '../../../ml/dataset/prepare';
import { type Column } from '../../../ml/dataset/raw-table';
import { type Model } from '../../../ml/model/model';
import { encodeOnnx } from '../../../ml/onnx/encode';
import { logisticRegression } from '../../../ml/trainer/baselines';
import { histogramForest } from '../../../ml/trainer/histogram-forest';
import { layOut } from './model-folder';

const ROWS = 200;

export interface TwoClasses {
  dir: string;
  /** Rows as JSON has them: `size` and `weight`. */
  records: Record<string, number>[];
}

/**
 * A model of a target of 0 and 1, in a folder of its own.
 *
 * @param kind a forest is answered by our own predictor, a logistic regression by onnxruntime in a process
 * @param thresholds cut-offs that the evaluation chose, by class
 */
export async function twoClasses(
  kind: 'forest' | 'logistic',
  thresholds: Record<string, number> = {},
): Promise<TwoClasses> {
  const size = Float64Array.from({ length: ROWS }, (_, row) => (row * 7) % 23);
  const weight = Float64Array.from({ length: ROWS }, (_, row) => (row * 5) % 17);
  const columns: Column[] = [
    { name: 'size', kind: 'number', values: size },
    { name: 'weight', kind: 'number', values: weight },
  ];
  const inputs: InputColumn[] = columns.map(({ name }) => ({
    ...{ kind: 'number', name, min: null, max: null, impute: 4 },
  }));
  const matrix = prepareMatrix(columns, ROWS, inputs);
  // Not to be learned wholly: so there are probabilities on both sides of any cut-off.
  const labels = Uint32Array.from(size, (value, row) =>
    Number(value + weight[row]! > 18 !== (row % 6 === 0)),
  );
  const trainer = kind === 'forest' ? histogramForest : logisticRegression;
  const params = TrainParams.parse(
    kind === 'forest' ? { n_estimators: 15, max_depth: 3 } : { algorithm: 'logistic-regression' },
  );
  const { model }: { model: Model } = await trainer.train({ ...matrix, labels, classes: 2 }, params);
  const schema: TableSchema = {
    ...{ task: 'classification', features: preparedNames(inputs), inputs, target: 'y', classes: ['0', '1'] },
    ...{ rows: { train: ROWS, test: 0 }, example: [], rawExample: [[1, 2]] },
  };
  const onnx = encodeOnnx(model, {
    ...{ featureNames: schema.features, inputs, classLabels: schema.classes, modelName: 'two classes' },
  });
  const records = Array.from(size, (value, row) => ({ size: value, weight: weight[row]! }));
  return { dir: layOut(schema, onnx, thresholds), records };
}
