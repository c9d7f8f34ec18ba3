import { constants, copyFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { Params, TrainParams } from '../contracts/params';
import { type Algorithm } from '../contracts/train-params';
import { ARTIFACT, type Backtest, type TableSchema, type TrainingNotes } from '../contracts/stage';
import {
  inputsOf,
  labelledMatrix,
  readStoredTable,
  type StoredTable,
  valuedMatrix,
} from '../ml/dataset/table-artifact';
import { backtestMetrics } from '../ml/backtest/summary';
import { readTrainTimes } from '../ml/dataset/train-times';
import { encodeOnnx } from '../ml/onnx/encode';
import { trainerFor } from '../ml/trainer/catalog';
import { backtest } from './backtest';
import { readSchema } from './read-schema';
import { parseInput } from './parse-input';
import { type Stage, type StageContext } from './stage';

const TrainStageParams = z.strictObject({ train: TrainParams, task: Params.shape.task });

/** What a trainer counts, for people who watch. */
const PHASE: Record<Algorithm, string> = {
  'random-forest': 'growing trees',
  'extra-trees': 'growing trees',
  'gradient-boosting': 'boosting, round',
  'logistic-regression': 'fitting, iteration',
  majority: 'counting classes',
  mean: 'taking the mean',
  'moving-average': 'taking the mean',
};

/** train.parquet, schema.json, for a backtest train-times.parquet → model.onnx, training.json, and features.parquet if asked for. */
export const train: Stage = async (context) => {
  const { train: params, task } = parseInput(
    TrainStageParams,
    context.params,
    'params.json',
    'CONFIG_INVALID',
  );
  const schema = readSchema(context);
  context.report({ phase: 'reading' });
  const stored = readStoredTable(context.input(ARTIFACT.train), schema);
  const table = task === 'regression' ? valuedMatrix(stored, schema) : labelledMatrix(stored, schema);
  const phase = PHASE[params.algorithm];
  context.report({ phase });
  const { model, importances, oobScore } = await trainerFor(params.algorithm, params.engine).train(
    { ...table, names: schema.features },
    params,
    { onProgress: (done, total) => context.report({ phase, done, total }) },
  );
  context.report({ phase: 'encoding' });
  const onnx = encodeOnnx(model, {
    featureNames: schema.features,
    inputs: inputsOf(schema),
    classLabels: schema.classes,
    modelName: params.algorithm,
  });
  const tried = await triedOnThePast(context, params, stored, schema);
  const notes: TrainingNotes = {
    ...(importances === undefined
      ? {}
      : {
          importances: schema.features.map((feature, f) => ({ feature, importance: importances[f] ?? 0 })),
        }),
    ...(oobScore === undefined ? {} : { oobScore }),
    ...(tried === undefined ? {} : { backtest: tried }),
  };
  writeFileSync(context.output(ARTIFACT.model), onnx);
  writeFileSync(context.output(ARTIFACT.training), `${JSON.stringify(notes)}\n`);
  if (params.keep_features === true) {
    // The store keeps it once: it has the bytes, and so the name, of the table that preprocess left.
    copyFileSync(
      context.input(ARTIFACT.train),
      context.output(ARTIFACT.features),
      constants.COPYFILE_FICLONE,
    );
  }
  return {
    rows_train: table.rows,
    model_bytes: onnx.length,
    ...(oobScore === undefined ? {} : { oob_score: oobScore }),
    ...(tried === undefined ? {} : backtestMetrics(tried)),
  };
};

/** The backtest that params ask for. */
async function triedOnThePast(
  context: StageContext,
  params: TrainParams,
  stored: StoredTable,
  schema: TableSchema,
): Promise<Backtest | undefined> {
  if (params.backtest === undefined) return undefined;
  const trainer = trainerFor(params.algorithm, params.engine);
  return backtest({
    ...{ stored, schema, params: params.backtest },
    times: readTrainTimes(context.input(ARTIFACT.trainTimes), stored.rows),
    train: async (table) => (await trainer.train(table, params)).model,
    onCutOff: (done, total) => context.report({ phase: 'backtest, cut-off', done, total }),
  });
}
