import { readFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RetrainError } from '../../contracts/errors';
import { TableSchema } from '../../contracts/stage';
import { type ContentStore } from '../../integrations/dvc/content-store';
import { drawRows } from '../../ml/drift/reservoir';
import { takeColumn } from '../../ml/dataset/raw-table';
import { classNumbersOf, readStoredTable, takeStored, targetValues } from '../../ml/dataset/table-artifact';
import { Random } from '../../ml/random/random';
import { type ServedModel } from '../model/served-model';
import { type AnsweredRows, numberOf } from './log-answers';
import { type TrainingRows } from './training-rows';

/** Rows that the model is asked again. */
const MOST_ROWS = 20_000;
const BATCH_ROWS = 4096;

/**
 * What a version answers to its own held-out rows, and what is true of them: what its evaluation promised, row by row.
 *
 * @returns null where the rows are gone, or the model takes them prepared, as old versions do
 * @throws RetrainError ARTIFACT_DAMAGED, STAGE_FAILED
 */
export async function heldOutAnswers(
  store: ContentStore,
  { test, schema: described }: Pick<TrainingRows, 'test' | 'schema'>,
  model: ServedModel,
  signal: AbortSignal,
): Promise<AnsweredRows | null> {
  if (test === null || described === null) return null;
  await Promise.all([store.verify(test, signal), store.verify(described, signal)]);
  const schema = TableSchema.parse(JSON.parse(await readFile(store.pathOf(described.md5), 'utf8')));
  const whole = readStoredTable(store.pathOf(test.md5), schema);
  const table = takeStored(whole, drawRows(whole.rows, MOST_ROWS, new Random(0, 0x6865_6c64)));
  const columns = model.fields.map(({ name }) => table.columns.find((column) => column.name === name));
  if (columns.some((column) => column === undefined)) return null;
  const isClasses = model.task === 'classification';
  if (isClasses !== (schema.task !== 'regression')) {
    throw new RetrainError(
      'MODEL_INVALID',
      `its held-out rows are of a ${schema.task ?? 'classification'}, and it is a ${model.task}`,
    );
  }
  const truth = isClasses
    ? Array.from(classNumbersOf(table, schema), (number) => numberOf(schema.classes[number] ?? null, model))
    : [...targetValues(table)];
  const found: AnsweredRows = { predicted: [], probability: [], truth };
  for (let from = 0; from < table.rows; from += BATCH_ROWS) {
    signal.throwIfAborted();
    const rows = Uint32Array.from({ length: Math.min(BATCH_ROWS, table.rows - from) }, (_, i) => from + i);
    const batch = columns.map((column) => takeColumn(column!, rows));
    const { labels, values, probabilities } = await model.score({ rows: rows.length, columns: batch });
    for (let row = 0; row < rows.length; row++) {
      const predicted = isClasses ? numberOf(labels?.[row] ?? null, model) : (values?.[row] ?? Number.NaN);
      found.predicted.push(predicted);
      found.probability.push(
        probabilities === null || !isClasses
          ? Number.NaN
          : (probabilities[row * model.classes.length + predicted] ?? Number.NaN),
      );
    }
    await nextTurn();
  }
  return found;
}
