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
import { type FeatureMatrix } from '../ml/dataset/matrix';
import { prepared, readStoredTable, type StoredTable } from '../ml/dataset/table-artifact';
import { slicesOf } from '../ml/metrics/slices';
import { openScorer } from '../ml/scoring/open-scorer';
import { type Scored, type ScoringTable } from '../ml/scoring/scoring-table';
import { askBaseline } from './baselines';
import { Referee } from './referee';
import { readSchema } from './read-schema';
import { parseInput } from './parse-input';
import { type Stage, type StageContext } from './stage';

const EvaluateStageParams = z.strictObject({ evaluate: EvaluateParams, task: Params.shape.task });

/**
 * test.parquet, schema.json, model.onnx, and the champion's champion.onnx and champion.json if there is one →
 * evaluation.json. What is scored is the file that is served; see `openScorer` for the engine. A champion that does not
 * fit these rows is noted and is no failure.
 */
export const evaluate: Stage = async (context) => {
  const { evaluate: params } = parseInput(
    EvaluateStageParams,
    context.params,
    'params.json',
    'CONFIG_INVALID',
  );
  const schema = readSchema(context);
  const table = readStoredTable(context.input(ARTIFACT.test), schema);
  const referee = new Referee(table, schema, params);
  const matrix = prepared(table, schema);
  const said = await ask(context, ARTIFACT.model, 'the candidate', table, () => matrix);
  const candidate = referee.score(said, schema.classes);
  const rival = await scoreChampion(context, referee, table, matrix, schema);
  const threshold = referee.threshold(said);
  const evaluation: Evaluation = {
    candidate,
    ...rival,
    rows: table.rows,
    ...(schema.baselines === undefined ? {} : { baselines: scoreBaselines(schema, matrix, referee) }),
    slices: slicesOf(table.columns, referee.merit(said)),
    ...(referee.positive === undefined ? {} : { positive: referee.positive }),
    ...(threshold === undefined ? {} : { threshold }),
  };
  writeFileSync(context.output(ARTIFACT.evaluation), `${JSON.stringify(evaluation)}\n`);
  return { ...candidate.metrics, rows_test: table.rows };
};

function scoreBaselines(
  { baselines = [], classes }: TableSchema,
  matrix: FeatureMatrix,
  referee: Referee,
): Evaluation['baselines'] {
  return baselines.map((baseline) => ({
    algorithm: baseline.algorithm,
    scores: referee.score(askBaseline(baseline, matrix, classes), classes, false),
  }));
}

async function scoreChampion(
  context: StageContext,
  referee: Referee,
  table: StoredTable,
  matrix: FeatureMatrix,
  schema: TableSchema,
): Promise<Pick<Evaluation, 'champion' | 'championError'>> {
  if (context.optionalInput(ARTIFACT.championModel) === undefined) {
    return { champion: null, championError: null };
  }
  try {
    const description = describedChampion(context);
    const said = await ask(context, ARTIFACT.championModel, 'the champion', table, () =>
      description === undefined ? matrix : reordered(matrix, schema.features, description.features),
    );
    const champion: Scores = referee.score(said, description?.classes ?? schema.classes);
    return { champion, championError: null };
  } catch (error) {
    if (error instanceof RetrainError && error.code === 'MODEL_INVALID') {
      return { champion: null, championError: error.message };
    }
    throw error;
  }
}

async function ask(
  context: StageContext,
  model: string,
  whom: string,
  { rows, columns }: StoredTable,
  matrix: ScoringTable['matrix'],
): Promise<Scored> {
  const phase = `scoring ${whom}`;
  context.report({ phase, done: 0, total: rows });
  const scorer = openScorer(readFileSync(context.input(model)), context.native);
  try {
    return await scorer.score({ rows, columns, matrix }, (done) =>
      context.report({ phase, done, total: rows }),
    );
  } finally {
    await scorer.close();
  }
}

function describedChampion(context: StageContext): ModelDescription | undefined {
  const path = context.optionalInput(ARTIFACT.championDescription);
  if (path === undefined) return undefined;
  const description = ModelDescription.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (description.success) return description.data;
  throw new RetrainError('MODEL_INVALID', 'its description does not tell the columns it takes');
}

/**
 * The features in another order, matched by name.
 *
 * @throws RetrainError MODEL_INVALID when one is missing.
 */
function reordered(
  matrix: FeatureMatrix,
  features: readonly string[],
  wanted: readonly string[],
): FeatureMatrix {
  const missing = wanted.filter((name) => !features.includes(name));
  if (missing.length > 0) {
    throw new RetrainError(
      'MODEL_INVALID',
      `it takes columns that the data no longer has: ${listed(missing)}; expected ${listed(features, 12)}`,
    );
  }
  const { rows } = matrix;
  const values = new Float32Array(rows * wanted.length);
  for (const [f, name] of wanted.entries()) {
    const from = features.indexOf(name) * rows;
    values.set(matrix.values.subarray(from, from + rows), f * rows);
  }
  return { values, rows, features: wanted.length };
}
