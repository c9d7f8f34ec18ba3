/**
 * `node onnx-once.js JSON FILE PREDICT`: trains on a table file, and measures onnxruntime, on two threads, predicting all
 * rows of another with the model that training made. Prints one line of JSON.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { TrainParams } from '../../contracts/train-params';
import type { FeatureMatrix } from '../../ml/dataset/matrix';
import { encodeOnnx, ONNX_PROBABILITIES } from '../../ml/onnx/encode';
import { trainerFor } from '../../ml/trainer/catalog';
import { binaryAuc } from './auc';
import { measured } from './figures';
import { readTableFile } from './table-file';

/** As a runtime takes it: row by row. Not measured. */
function tensorOf({ values, rows, features }: FeatureMatrix): Tensor {
  const data = new Float32Array(rows * features);
  for (let f = 0; f < features; f++) {
    for (let i = 0; i < rows; i++) data[i * features + f] = values[f * rows + i] ?? NaN;
  }
  return new Tensor('float32', data, [rows, features]);
}

async function main(): Promise<void> {
  const [json = '{}', file = '', predict = ''] = process.argv.slice(2);
  const { train, held } = readTableFile(file);
  const params = TrainParams.parse({ engine: 'histogram', ...(JSON.parse(json) as object) });
  const { model } = await trainerFor(params.algorithm, params.engine).train(train, params);
  const onnx = encodeOnnx(model, {
    featureNames: Array.from({ length: model.features }, (_, f) => `f${f}`),
    classLabels: ['0', '1'],
    modelName: 'bench',
  });
  const session = await InferenceSession.create(onnx, { intraOpNumThreads: 2 });
  const probabilities = async (input: Tensor): Promise<Float64Array> => {
    const output = (await session.run({ input }, [ONNX_PROBABILITIES]))[ONNX_PROBABILITIES];
    return Float64Array.from((output?.data ?? []) as Float32Array);
  };
  const auc = binaryAuc(await probabilities(tensorOf(held)), held.labels);
  const large = readTableFile(predict);
  const inputs = [tensorOf(large.train), tensorOf(large.held)];
  const figures = await measured(async () => {
    for (const input of inputs) await session.run({ input }, [ONNX_PROBABILITIES]);
  });
  console.log(JSON.stringify({ ...figures, auc }));
}

void main();
