import { readFile } from 'node:fs/promises';
import { listed, RetrainError } from '../../contracts/errors';
import { type Artifact, type InputColumn, TableSchema } from '../../contracts/stage';
import { type ContentStore } from '../../integrations/dvc/content-store';
import { prepareMatrix } from '../../ml/dataset/prepare';
import { type Column } from '../../ml/dataset/raw-table';
import { inputsOf } from '../../ml/dataset/table-artifact';
import { type ModelField } from '../model/served-model';
import { sampleTable, type SampledTable } from './sample-table';
import { type TrainingRows } from './training-rows';

/** Text of the tables that our stages write is what it is: nothing stands for a missing value. */
const AS_STORED = { missing: [] };

/**
 * Training rows, or held-out ones, as a model takes its rows: raw, or prepared, where it is a model of prepared rows. What clips, imputes and
 * encodes is in the model, or in front of it; rows that it was asked with are alike.
 *
 * @param artifact of the store
 * @returns a column for each field
 * @throws RetrainError ARTIFACT_MISSING, ARTIFACT_DAMAGED; MODEL_INVALID when the model takes columns that the rows do not have
 */
export async function referenceTable(
  store: ContentStore,
  { schema }: Pick<TrainingRows, 'schema'>,
  artifact: Artifact,
  fields: readonly ModelField[],
  options: { seed: number; signal: AbortSignal },
): Promise<SampledTable> {
  await store.verify(artifact, options.signal);
  const table = { path: store.pathOf(artifact.md5), shown: artifact.name, rules: AS_STORED };
  const known = schema === null ? null : await readSchema(store, schema, options.signal);
  if (known === null) return sampleTable(table, fields, options);
  const inputs = inputsOf(known);
  const missing = (names: readonly string[]): string[] =>
    fields.filter((field) => !names.includes(field.name)).map(({ name }) => name);
  const raw = inputs.map(({ name }) => name);
  if (missing(raw).length === 0) return sampleTable(table, fields, options);
  if (missing(known.features).length > 0) {
    throw new RetrainError(
      'MODEL_INVALID',
      `it takes ${listed(missing(raw))}, which the rows that it was trained on do not have; they have ${listed(raw, 20)}`,
    );
  }
  const stored = await sampleTable(table, inputs.map(fieldOf), options);
  const matrix = prepareMatrix(stored.columns, stored.rows, inputs);
  const columns = fields.map(({ name }): Column => {
    const from = known.features.indexOf(name) * stored.rows;
    return {
      kind: 'number',
      name,
      values: Float64Array.from(matrix.values.subarray(from, from + stored.rows)),
    };
  });
  return { ...stored, columns };
}

const fieldOf = ({ name, kind }: InputColumn): ModelField => ({
  name,
  type: kind === 'number' ? 'number' : 'text',
  optional: false,
  nullable: true,
  levels: null,
});

/** @throws RetrainError ARTIFACT_MISSING, ARTIFACT_DAMAGED */
export async function readSchema(
  store: ContentStore,
  artifact: Artifact,
  signal: AbortSignal,
): Promise<TableSchema> {
  await store.verify(artifact, signal);
  return TableSchema.parse(JSON.parse(await readFile(store.pathOf(artifact.md5), 'utf8')));
}
