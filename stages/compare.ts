import { readFileSync, writeFileSync } from 'node:fs';
import { listed, RetrainError } from '../contracts/errors';
import { type EvaluateParams } from '../contracts/params';
import { ARTIFACT, type Evaluation, ModelDescription, type TableSchema } from '../contracts/stage';
import { type FeatureMatrix } from '../ml/dataset/matrix';
import { type Column, takeColumn } from '../ml/dataset/raw-table';
import { decodeSeenRows, type SeenRows } from '../ml/dataset/seen-rows';
import { prepared, type StoredTable, takeStored } from '../ml/dataset/table-artifact';
import { readTestKeys } from '../ml/dataset/test-keys';
import { unseenRows } from '../ml/dataset/unseen-rows';
import { compareSlices } from '../ml/gate/compare-slices';
import { pairedDifferences } from '../ml/gate/paired-difference';
import { type Draws } from '../ml/metrics/draws';
import { type Scored } from '../ml/scoring/scoring-table';
import { Referee } from './referee';
import { sideBySide } from './side-by-side';
import { type StageContext } from './stage';

/** The candidate, and what it said of all held-out rows. */
export interface ScoredCandidate {
  table: StoredTable;
  schema: TableSchema;
  said: Scored;
}

/** Asks the champion about rows. */
export type AskChampion = (rows: StoredTable, matrix: () => FeatureMatrix) => Promise<Scored>;

/**
 * Candidate and champion on the held-out rows that neither was trained on, as far as that can be told. A champion that
 * does not fit these rows is noted and is no failure.
 */
export async function compareWithChampion(
  context: StageContext,
  { table, schema, said }: ScoredCandidate,
  params: EvaluateParams,
  ask: AskChampion,
): Promise<Pick<Evaluation, 'champion' | 'championError' | 'comparison'>> {
  if (context.optionalInput(ARTIFACT.championModel) === undefined) {
    return { champion: null, championError: null };
  }
  const keys = testKeys(context);
  const { rows, ...known } = unseenRows(
    [...table.columns, table.target, ...keys],
    table.rows,
    ownSeenRows(context),
    championSeenRows(context),
  );
  const facts = { ...known, rows: rows.length, heldOut: table.rows };
  if (rows.length === 0) {
    const nothing = { candidate: {}, champion: {}, differences: {}, slices: [], sliced: [] };
    return { champion: null, championError: null, comparison: { ...facts, ...nothing } };
  }
  let draws: Draws | undefined;
  try {
    const compared = takeStored(table, rows);
    const description = describedChampion(context);
    const classes = description?.classes ?? schema.classes;
    const its = await ask(compared, () => matrixFor(compared, schema, description));
    const mine = takeScored(said, rows);
    const referee = new Referee(compared, schema, params);
    const pair = [
      { said: mine, classes: schema.classes },
      { said: its, classes },
    ];
    draws = referee.draw(pair);
    const champion = referee.score(its, classes);
    const named = keys.map((column) => takeColumn(column, rows));
    const rowByRow = sideBySide({
      ...{ rows, table: compared, keys: named, schema },
      ...{ candidate: mine, champion: its },
    });
    writeFileSync(context.output(ARTIFACT.sideBySide), `${JSON.stringify(rowByRow)}\n`);
    return {
      champion,
      championError: null,
      comparison: {
        ...facts,
        candidate: referee.score(mine, schema.classes).metrics,
        champion: champion.metrics,
        differences: pairedDifferences(referee.measure(pair), await draws.metrics()),
        ...compareSlices([...compared.columns, ...named], referee.merit(mine), referee.merit(its)),
      },
    };
  } catch (error) {
    if (error instanceof RetrainError && error.code === 'MODEL_INVALID') {
      return { champion: null, championError: error.message };
    }
    throw error;
  } finally {
    await draws?.stop();
  }
}

function testKeys(context: StageContext): Column[] {
  const path = context.optionalInput(ARTIFACT.testKeys);
  return path === undefined ? [] : readTestKeys(path);
}

function ownSeenRows(context: StageContext): SeenRows | null {
  const path = context.optionalInput(ARTIFACT.seenRows);
  return path === undefined ? null : decodeSeenRows(readFileSync(path));
}

/** Or why they are not known: what a registry hands out may be anything. */
function championSeenRows(context: StageContext): SeenRows | string {
  const path = context.optionalInput(ARTIFACT.championSeenRows);
  if (path === undefined) return 'it does not tell which rows it was trained on';
  try {
    return decodeSeenRows(readFileSync(path));
  } catch (error) {
    if (error instanceof RetrainError) return `its ${error.message}`;
    throw error;
  }
}

function describedChampion(context: StageContext): ModelDescription | undefined {
  const path = context.optionalInput(ARTIFACT.championDescription);
  if (path === undefined) return undefined;
  const description = ModelDescription.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (description.success) return description.data;
  throw new RetrainError('MODEL_INVALID', 'its description does not tell the columns it takes');
}

function matrixFor(
  rows: StoredTable,
  schema: TableSchema,
  description: ModelDescription | undefined,
): FeatureMatrix {
  const matrix = prepared(rows, schema);
  return description === undefined ? matrix : reordered(matrix, schema.features, description.features);
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

/** What a model said of some rows. */
function takeScored({ labels, probabilities, values }: Scored, rows: Uint32Array): Scored {
  const width = labels === null ? 0 : (probabilities?.length ?? 0) / labels.length;
  return {
    labels: labels === null ? null : Array.from(rows, (row) => labels[row] ?? ''),
    probabilities: probabilities === null ? null : takeWide(probabilities, width, rows),
    values: values === null ? null : Float64Array.from(rows, (row) => values[row] ?? Number.NaN),
  };
}

function takeWide(values: Float64Array, width: number, rows: Uint32Array): Float64Array {
  const taken = new Float64Array(rows.length * width);
  for (const [i, row] of rows.entries())
    taken.set(values.subarray(row * width, (row + 1) * width), i * width);
  return taken;
}
