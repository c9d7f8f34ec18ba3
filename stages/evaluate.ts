import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { listed, RetrainError } from '../contracts/errors';
import { EvaluateParams, Params } from '../contracts/params';
import {
  ARTIFACT,
  type Evaluation,
  ModelDescription,
  type Scores,
  type TableSchema,
} from '../contracts/stage';
import { type FeatureMatrix, type LabelledMatrix } from '../ml/dataset/matrix';
import { readLabelled } from '../ml/dataset/read-labelled';
import { classificationScores } from '../ml/metrics/classification';
import { readSchema } from './read-schema';
import { scoreOnnx } from './score-onnx';
import { type Stage, type StageContext } from './stage';

const EvaluateStageParams = z.strictObject({ evaluate: EvaluateParams, task: Params.shape.task });

/**
 * test.csv, schema.json, model.onnx, and the champion's champion.onnx and champion.json if there is one →
 * evaluation.json. What is scored is the model that is served, by the engine that serves it. A champion that
 * does not fit these rows is noted and is no failure.
 */
export const evaluate: Stage = async (context) => {
  EvaluateStageParams.parse(context.params);
  const schema = readSchema(context);
  const table = await readLabelled(context.input(ARTIFACT.test), ARTIFACT.test, schema);
  const candidate = await score(context, ARTIFACT.model, 'scoring the candidate', table, table, schema);
  const rival = await scoreChampion(context, table, schema);
  const evaluation: Evaluation = { candidate, ...rival, rows: table.rows };
  writeFileSync(context.output(ARTIFACT.evaluation), `${JSON.stringify(evaluation)}\n`);
  return { ...candidate.metrics, rows_test: table.rows };
};

async function scoreChampion(
  context: StageContext,
  table: LabelledMatrix,
  schema: TableSchema,
): Promise<Pick<Evaluation, 'champion' | 'championError'>> {
  if (context.optionalInput(ARTIFACT.championModel) === undefined) {
    return { champion: null, championError: null };
  }
  try {
    const columns = championColumns(context, table, schema);
    const name = ARTIFACT.championModel;
    return {
      champion: await score(context, name, 'scoring the champion', columns, table, schema),
      championError: null,
    };
  } catch (error) {
    if (error instanceof RetrainError && error.code === 'MODEL_INVALID') {
      return { champion: null, championError: error.message };
    }
    throw error;
  }
}

async function score(
  context: StageContext,
  model: string,
  phase: string,
  columns: FeatureMatrix,
  { labels }: LabelledMatrix,
  schema: TableSchema,
): Promise<Scores> {
  const total = columns.rows;
  context.report({ phase, done: 0, total });
  const scored = await scoreOnnx(readFileSync(context.input(model)), columns, context.native, (done) => {
    context.report({ phase, done, total });
  });
  // A champion may know classes that this table lacks: a label of its own is then a wrong answer of its own.
  const names = [...new Set([...schema.classes, ...scored.labels])];
  const numberOf = new Map(names.map((name, number) => [name, number]));
  const predicted = Uint32Array.from(scored.labels, (label) => numberOf.get(label) ?? 0);
  return classificationScores(labels, predicted, names);
}

/**
 * The table's columns in the champion's order, matched by name; all of them in the table's order when the
 * champion does not tell its names.
 *
 * @throws RetrainError MODEL_INVALID when a column is missing.
 */
function championColumns(context: StageContext, table: FeatureMatrix, schema: TableSchema): FeatureMatrix {
  const path = context.optionalInput(ARTIFACT.championDescription);
  if (path === undefined) return table;
  const description = ModelDescription.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!description.success) {
    throw new RetrainError('MODEL_INVALID', 'its description does not tell the columns it takes');
  }
  const wanted = description.data.features;
  const missing = wanted.filter((name) => !schema.features.includes(name));
  if (missing.length > 0) {
    throw new RetrainError(
      'MODEL_INVALID',
      `it takes columns that the data no longer has: ${listed(missing)}; expected ${listed(schema.features, 12)}`,
    );
  }
  const { rows } = table;
  const values = new Float32Array(rows * wanted.length);
  for (const [f, name] of wanted.entries()) {
    const from = schema.features.indexOf(name) * rows;
    values.set(table.values.subarray(from, from + rows), f * rows);
  }
  return { values, rows, features: wanted.length };
}
