import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { Params, TrainParams } from '../contracts/params';
import { ARTIFACT } from '../contracts/stage';
import { readLabelled } from '../ml/dataset/read-labelled';
import { encodeOnnx } from '../ml/onnx/encode';
import { trainerFor } from '../ml/trainer/catalog';
import { readSchema } from './read-schema';
import { type Stage } from './stage';

const TrainStageParams = z.strictObject({ train: TrainParams, task: Params.shape.task });

/** train.csv, schema.json → model.onnx. */
export const train: Stage = async (context) => {
  const { train: params } = TrainStageParams.parse(context.params);
  const schema = readSchema(context);
  context.report({ phase: 'reading' });
  const table = await readLabelled(context.input(ARTIFACT.train), ARTIFACT.train, schema);
  const total = params.n_estimators;
  context.report({ phase: 'growing trees', done: 0, total });
  const { model } = await trainerFor(params.algorithm, params.engine).train(table, params, {
    onProgress: (done) => context.report({ phase: 'growing trees', done, total }),
  });
  context.report({ phase: 'encoding' });
  const onnx = encodeOnnx(model, {
    featureNames: schema.features,
    classLabels: schema.classes,
    modelName: params.algorithm,
  });
  writeFileSync(context.output(ARTIFACT.model), onnx);
  return { rows_train: table.rows, model_bytes: onnx.length };
};
