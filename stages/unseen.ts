import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { listed, RetrainError } from '../contracts/errors';
import { DataParams, Params, PreprocessParams } from '../contracts/params';
import { ARTIFACT, type TableSchema } from '../contracts/stage';
import { firstDataFile } from '../ml/dataset/data-files';
import { distinctRows } from '../ml/dataset/deduplicate';
import { columnNames } from '../ml/dataset/header';
import { type Column, columnOf, type RawTable, takeRows } from '../ml/dataset/raw-table';
import { nameRows } from '../ml/dataset/row-names';
import { decodeSeenRows, seenAmong, type SeenRows } from '../ml/dataset/seen-rows';
import { inputsOf, writeTable } from '../ml/dataset/table-artifact';
import { writeTestKeys } from '../ml/dataset/test-keys';
import { parseInput } from './parse-input';
import { readData } from './read-data';
import { readSchema } from './read-schema';
import { type Stage, type StageContext } from './stage';

const UnseenParams = z.strictObject({
  data: DataParams,
  preprocess: PreprocessParams,
  task: Params.shape.task,
});
type UnseenParams = z.infer<typeof UnseenParams>;

/**
 * data, the schema.json of a model and, where there is one, its seen-rows.bin → test.parquet, test-keys.parquet: the rows of any table,
 * prepared as the model's own were, that it was not trained on. No stage of a run: `retrain evaluate` scores a model on them.
 * Columns that the model does not know are left out.
 */
export const unseen: Stage = async (context) => {
  const params = parseInput(UnseenParams, context.params, 'params.json', 'CONFIG_INVALID');
  const schema = readSchema(context);
  const seen = seenRows(context);
  const read = await readKnown(context, params, schema, seen);
  requireKnown(read.table, read.features, schema);
  const table = deduplicated(read.table, [...read.features, read.target], params.preprocess.deduplicate);
  const isSeen = seen === null ? new Uint8Array(table.rows) : seenAmong(namesBy(table, seen), seen);
  const rows = Uint32Array.from(isSeen, (_, row) => row).filter((row) => isSeen[row] === 0);
  if (rows.length === 0) {
    throw new RetrainError(
      'DATA_INVALID',
      `${table.file}: the model was trained on all of its ${table.rows} rows, so none is left to score it on; give rows that it has not seen`,
    );
  }
  context.report({ phase: 'writing', done: rows.length });
  const inputs = inputsOf(schema);
  writeTable(context.output(ARTIFACT.test), table, inputs, schema.target, rows);
  const features = inputs.map(({ name }) => name);
  writeTestKeys(context.output(ARTIFACT.testKeys), table, features, rows);
  return { rows_read: table.rows, rows_seen: table.rows - rows.length, rows_test: rows.length };
};

function seenRows(context: StageContext): SeenRows | null {
  const path = context.optionalInput(ARTIFACT.seenRows);
  return path === undefined ? null : decodeSeenRows(readFileSync(path));
}

/** Reads what the model takes and what its rows are named by; how a split would order the rows is nobody's matter here. */
async function readKnown(
  context: StageContext,
  params: UnseenParams,
  schema: TableSchema,
  seen: SeenRows | null,
): ReturnType<typeof readData> {
  const { time_by: _, group_by, row_id, ...rest } = params.preprocess;
  const named = seen?.columns ?? [];
  const isNamedBy = (by: SeenRows['by']): boolean => seen?.by === by;
  const preprocess: PreprocessParams = {
    ...rest,
    split: 'random',
    drop: rest.sql === undefined ? await dropped(context, params, schema, named) : rest.drop,
    ...(isNamedBy('group') ? { group_by } : {}),
    ...(isNamedBy('row_id') ? { row_id } : {}),
  };
  return readData(context, { ...params, preprocess });
}

/** `preprocess.drop` as far as the table has such columns, and all that the model does not know, by their names in the file. */
async function dropped(
  context: StageContext,
  { data, preprocess }: UnseenParams,
  schema: TableSchema,
  named: readonly string[],
): Promise<string[]> {
  const first = await firstDataFile(context.input(ARTIFACT.data), data.path, data.files);
  const { names } = await columnNames(first, data.target, data);
  const own = names.filter((name) => preprocess.drop.includes(name));
  // Columns that were found by their looks may have become others: parts of dates.
  if (preprocess.auto === true) return own;
  const features = inputsOf(schema).map(({ name }) => name);
  const wanted = new Set([...features, schema.target, ...named]);
  const isWanted = (name: string): boolean =>
    wanted.has(Object.hasOwn(preprocess.rename, name) ? (preprocess.rename[name] ?? name) : name);
  return [...new Set([...own, ...names.filter((name) => !isWanted(name))])];
}

/** @throws RetrainError DATA_INVALID for a column that is gone or of another kind, and for classes that the model does not know */
function requireKnown(table: RawTable, features: readonly string[], schema: TableSchema): void {
  const inputs = inputsOf(schema);
  const gone = inputs.map(({ name }) => name).filter((name) => !features.includes(name));
  if (gone.length > 0) {
    throw new RetrainError(
      'DATA_INVALID',
      `${table.file}: the model takes ${gone.length === 1 ? 'a column' : 'columns'} that this table does not have: ${listed(gone)}; it has ${listed(features, 12)}`,
    );
  }
  const other = inputs.find(({ name, kind }) => {
    const column = columnOf(table, name);
    return (column.kind === 'number') !== (kind === 'number');
  });
  if (other !== undefined) {
    throw new RetrainError(
      'DATA_INVALID',
      `${table.file}: column "${other.name}" holds ${other.kind === 'number' ? 'text' : 'numbers'}, and the model takes ${other.kind === 'number' ? 'numbers' : 'text'} there`,
    );
  }
  const target = columnOf(table, schema.target);
  const strange =
    target.kind === 'number' ? [] : target.levels.filter((one) => !schema.classes.includes(one));
  if (strange.length === 0) return;
  throw new RetrainError(
    'DATA_INVALID',
    `${table.file}: column "${schema.target}" holds classes that the model does not know: ${listed(strange)}; it knows ${listed(schema.classes)}`,
  );
}

function namesBy(table: RawTable, { columns }: SeenRows): ReturnType<typeof nameRows> {
  const chosen = columns.map((name): Column => {
    const column = table.columns.find((one) => one.name === name);
    if (column !== undefined) return column;
    throw new RetrainError(
      'DATA_INVALID',
      `${table.file}: there is no column "${name}", by which it is told which rows the model was trained on`,
    );
  });
  return nameRows(chosen, table.rows);
}

function deduplicated(
  table: RawTable,
  columns: readonly string[],
  by: PreprocessParams['deduplicate'],
): RawTable {
  if (by === false) return table;
  const rows = distinctRows(table, by === true ? columns : by);
  return rows.length === table.rows ? table : takeRows(table, rows);
}
