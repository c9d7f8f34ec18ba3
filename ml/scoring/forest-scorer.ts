import { RetrainError } from '../../contracts/errors';
import { type InputColumn } from '../../contracts/stage';
import { type FeatureMatrix } from '../dataset/matrix';
import { prepareMatrix } from '../dataset/prepare';
import { type Forest } from '../forest/forest';
import { classNumbers } from '../forest/predict';
import { predictTable } from '../model/model';
import { type DecodedModel } from '../onnx/decode';
import { type Effort, everyRow, lacking, type Scored, type Scorer, type ScoringTable } from './scoring-table';

/** Prepared numbers at a time: 256 MB of them. */
const BLOCK_CELLS = 2 ** 26;

/** A model of ours, read back out of its file, in our own predictor: for deep forests several times as fast. */
export class ForestScorer implements Scorer {
  private readonly forest: Forest;
  private readonly inputs: readonly InputColumn[] | undefined;
  private readonly labels: readonly string[];

  constructor({ forest, names }: DecodedModel) {
    this.forest = forest;
    this.inputs = names.inputs;
    this.labels = names.classLabels;
  }

  async score(table: ScoringTable, onProgress?: (done: number) => void): Promise<Scored> {
    const { forest, labels } = this;
    const width = forest.task === 'classification' ? forest.classes : 1;
    const predictions = new Float64Array(table.rows * width);
    const blockRows = Math.max(1, Math.floor(BLOCK_CELLS / Math.max(1, forest.features)));
    for (let start = 0; start < table.rows; start += blockRows) {
      const end = Math.min(start + blockRows, table.rows);
      const block = end - start === table.rows ? table : everyRow(table, start, end);
      predictions.set(await predictTable(forest, this.rowsOf(block)), start * width);
      onProgress?.(end);
    }
    if (forest.task === 'regression') return { labels: null, probabilities: null, values: predictions };
    const said = Array.from(classNumbers(predictions, width), (number) => labels[number] ?? '');
    return { labels: said, probabilities: predictions, values: null };
  }

  effort(): Promise<Effort> {
    const { forest, inputs } = this;
    const cost = Math.max(1, forest.trees.length);
    if (inputs === undefined) return Promise.resolve({ cost, uses: null });
    const byFeature = featureUses(forest);
    const uses = new Map<string, number>();
    let from = 0;
    for (const input of inputs) {
      const end = from + widthOf(input);
      uses.set(
        input.name,
        byFeature.subarray(from, end).reduce((sum, use) => sum + use, 0),
      );
      from = end;
    }
    return Promise.resolve({ cost, uses });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The rows as the trees see them. */
  private rowsOf(table: ScoringTable): FeatureMatrix {
    const { inputs } = this;
    if (inputs === undefined) return table.matrix();
    const columns = inputs.map(({ name }) => table.columns.find((column) => column.name === name));
    if (columns.includes(undefined)) {
      if (inputs.length === 1) return table.matrix();
      throw lacking(
        inputs.map(({ name }) => name),
        table,
      );
    }
    for (const [i, { name, kind }] of inputs.entries()) {
      const seen = columns[i]?.kind;
      const expected = kind === 'number' ? 'number' : 'text';
      if (seen === expected) continue;
      throw new RetrainError(
        'MODEL_INVALID',
        `it takes the column ${name} as ${shown(expected)}, and the data has ${shown(seen)} there`,
      );
    }
    return prepareMatrix(table.columns, table.rows, inputs);
  }
}

/** Splits further down count as almost nothing: each tells of few rows. */
const DEPTH = 10;

/** `[d]` how much of a row's way through the trees asks for each feature, as if half of the rows went each way. */
function featureUses({ trees, features }: Forest): Float64Array {
  const uses = new Float64Array(features);
  for (const { feature, child } of trees) {
    const visit = (node: number, depth: number): void => {
      const f = feature[node]!;
      if (f < 0) return;
      uses[f]! += 2 ** -depth;
      if (depth === DEPTH) return;
      visit(child[node]!, depth + 1);
      visit(child[node]! + 1, depth + 1);
    };
    visit(0, 0);
    // Further down it is enough to know that it is asked for at all.
    for (let node = 0; node < feature.length; node++) {
      const f = feature[node]!;
      if (f >= 0 && uses[f] === 0) uses[f] = Number.MIN_VALUE;
    }
  }
  return uses;
}

/** Features that a raw column becomes. */
const widthOf = (input: InputColumn): number =>
  input.kind === 'category' && input.encoding === 'one-hot' ? input.levels.length : 1;

const shown = (kind: 'number' | 'text' | undefined): string => (kind === 'number' ? 'numbers' : 'texts');
