import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { listed, RetrainError } from '../contracts/errors';
import { EvaluateParams, Params } from '../contracts/params';
import { ARTIFACT, type Evaluation, type TableSchema } from '../contracts/stage';
import { type FeatureMatrix } from '../ml/dataset/matrix';
import { prepared, readStoredTable, type StoredTable, targetValues } from '../ml/dataset/table-artifact';
import { type Draws } from '../ml/metrics/draws';
import { scoreSignals } from '../ml/metrics/signals';
import { slicesOf } from '../ml/metrics/slices';
import { openScorer } from '../ml/scoring/open-scorer';
import { type Scored, type Scorer, type ScoringTable } from '../ml/scoring/scoring-table';
import { askBaseline } from './baselines';
import { compareWithChampion } from './compare';
import { importancesOf } from './importances';
import { Referee } from './referee';
import { readSchema } from './read-schema';
import { parseInput } from './parse-input';
import { type Stage, type StageContext } from './stage';

const EvaluateStageParams = z.strictObject({ evaluate: EvaluateParams, task: Params.shape.task });

/**
 * test.parquet, schema.json, model.onnx, with seen-rows.bin and test-keys.parquet where they are, and the champion's
 * champion.onnx, champion.json and champion-seen-rows.bin if there is one → evaluation.json, and with a champion side-by-side.json. What is scored is the file
 * that is served; see `openScorer` for the engine. A champion that does not fit these rows is noted and is no failure.
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
  const scorer = scorerOf(context, ARTIFACT.model);
  let draws: Draws | undefined;
  try {
    const said = await ask(context, scorer, 'the candidate', table, () => matrix);
    draws = referee.draw([{ said, classes: schema.classes }]);
    const scores = referee.score(said, schema.classes);
    const compared = await compareWithChampion(context, { table, schema, said }, params, (rows, its) =>
      askChampion(context, rows, its),
    );
    const threshold = referee.threshold(said);
    const signal = signalsSaid(table, said, params);
    const importances = await importancesOf(scorer, table, schema, params, (done, total) =>
      context.report({ phase: 'shuffling columns', done, total }),
    );
    const baselines =
      schema.baselines === undefined ? {} : { baselines: scoreBaselines(schema, matrix, referee) };
    const slices = slicesOf(table.columns, referee.merit(said));
    // Last, as another thread is at them meanwhile.
    const candidate = referee.withIntervals(scores, await draws.metrics());
    const evaluation: Evaluation = {
      candidate,
      ...compared,
      rows: table.rows,
      ...baselines,
      slices,
      ...(referee.positive === undefined ? {} : { positive: referee.positive }),
      ...(threshold === undefined ? {} : { threshold }),
      ...(signal === undefined ? {} : { signal }),
      ...(importances === undefined ? {} : { importances }),
    };
    writeFileSync(context.output(ARTIFACT.evaluation), `${JSON.stringify(evaluation)}\n`);
    return { ...candidate.metrics, rows_test: table.rows };
  } finally {
    await draws?.stop();
    await scorer.close();
  }
};

function scorerOf(context: StageContext, model: string): Scorer {
  const { native, isolated } = context;
  return openScorer(readFileSync(context.input(model)), native, isolated ? 'taken' : 'refused');
}

/** @throws RetrainError CONFIG_INVALID when the column of evaluate.signal is none that the model takes */
function signalsSaid(
  table: StoredTable,
  { values }: Scored,
  { signal: rule }: EvaluateParams,
): Evaluation['signal'] {
  if (rule === undefined || values === null) return undefined;
  const from = table.columns.find(({ name }) => name === rule.from);
  if (from?.kind === 'number') return scoreSignals(rule, from.values, targetValues(table), values);
  const numbers = table.columns.filter(({ kind }) => kind === 'number').map(({ name }) => name);
  throw new RetrainError(
    'CONFIG_INVALID',
    `params.yaml: evaluate.signal.from: the model takes no number ${JSON.stringify(rule.from)}; it takes ${listed(numbers, 20)}`,
  );
}

function scoreBaselines(
  schema: TableSchema,
  matrix: FeatureMatrix,
  referee: Referee,
): Evaluation['baselines'] {
  return (schema.baselines ?? []).map((baseline) => ({
    algorithm: baseline.algorithm,
    scores: referee.score(askBaseline(baseline, matrix, schema), schema.classes),
  }));
}

async function askChampion(
  context: StageContext,
  rows: StoredTable,
  matrix: ScoringTable['matrix'],
): Promise<Scored> {
  const scorer = scorerOf(context, ARTIFACT.championModel);
  try {
    return await ask(context, scorer, 'the champion', rows, matrix);
  } finally {
    await scorer.close();
  }
}

function ask(
  context: StageContext,
  scorer: Scorer,
  whom: string,
  { rows, columns }: StoredTable,
  matrix: ScoringTable['matrix'],
): Promise<Scored> {
  const phase = `scoring ${whom}`;
  context.report({ phase, done: 0, total: rows });
  return scorer.score({ rows, columns, matrix }, (done) => context.report({ phase, done, total: rows }));
}
