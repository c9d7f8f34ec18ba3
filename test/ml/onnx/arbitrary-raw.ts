import * as fc from 'fast-check';
import type { InputColumn } from '../../../contracts/stage';
import { preparedNames } from '../../../ml/dataset/prepare';
import type { Column } from '../../../ml/dataset/raw-table';
import { TextBuilder } from '../../../ml/dataset/column-builder';
import type { Forest } from '../../../ml/forest/forest';
import { forests, float32 } from '../forest/arbitrary-forest';

/** A model with the raw columns that it takes, and rows for it. */
export interface RawCase {
  forest: Forest;
  inputs: InputColumn[];
  columns: Column[];
  rows: number;
}

/** Names as files have them, and those that the graph would like to give to its own values. */
const NAMES = [
  'age',
  'NumberOfTime30-59Days',
  'Beak "Length" (mm)',
  'prepared',
  'raw_scores',
  'größe',
  'input',
  'low',
];
const TEXTS = ['Oslo', 'Rome', 'Ōsaka', 'new york', '0', 'nan', ' '];

const bound = fc.option(fc.integer({ min: -3, max: 3 }), { nil: null });

const number = (name: string): fc.Arbitrary<InputColumn> =>
  fc.record({
    kind: fc.constant('number' as const),
    name: fc.constant(name),
    min: bound,
    max: bound.map((max) => (max === null ? null : max + 6)),
    impute: fc.option(fc.float({ min: -5, max: 5, noNaN: true }), { nil: null }),
  });

const category = (name: string): fc.Arbitrary<InputColumn> =>
  fc.record({
    kind: fc.constant('category' as const),
    name: fc.constant(name),
    encoding: fc.constantFrom('one-hot' as const, 'ordinal' as const),
    levels: fc.uniqueArray(fc.constantFrom(...TEXTS), { maxLength: 4 }).map((levels) => levels.sort()),
  });

const inputLists = fc
  .uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 6 })
  .chain((names) => fc.tuple(...names.map((name) => fc.oneof(number(name), category(name)))))
  .filter((inputs) => preparedNames(inputs).length > 0);

/** Any forest over any raw columns: clipped, imputed, encoded; rows with missing values and unseen texts. */
export const rawCases: fc.Arbitrary<RawCase> = fc
  .tuple(forests, inputLists, fc.integer({ min: 1, max: 8 }))
  .chain(([forest, inputs, rows]) => {
    const features = preparedNames(inputs).length;
    const trees = forest.trees.map((tree) => ({
      ...tree,
      feature: tree.feature.map((f) => (f < 0 ? f : f % features)),
    }));
    return fc
      .tuple(...inputs.map((input) => columnFor(input, rows)))
      .map((columns) => ({ forest: { ...forest, features, trees }, inputs, columns, rows }));
  });

function columnFor({ kind, name }: InputColumn, rows: number): fc.Arbitrary<Column> {
  const size = { minLength: rows, maxLength: rows };
  if (kind === 'number') {
    return fc
      .array(fc.oneof(float32, fc.constant(Number.NaN)), size)
      .map((values) => ({ kind: 'number', name, values: Float64Array.from(values) }));
  }
  return fc.array(fc.option(fc.constantFrom(...TEXTS, 'unseen'), { nil: undefined }), size).map((texts) => {
    const builder = new TextBuilder(name);
    for (const text of texts) builder.push(text);
    return builder.finish();
  });
}
