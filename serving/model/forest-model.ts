import { setImmediate } from 'node:timers/promises';
import { type InputColumn } from '../../contracts/stage';
import { type FeatureMatrix } from '../../ml/dataset/matrix';
import { type Forest, predictionWidth } from '../../ml/forest/forest';
import { predictBatch, predictRange } from '../../ml/forest/predict';
import { predictTable } from '../../ml/model/model';
import { type DecodedModel } from '../../ml/onnx/decode';
import { preparedWidth, prepareRows } from './prepared-rows';
import { type PlacedRule, placedRule, signalsOf } from './signals';
import { RowReader, type ReaderOptions } from './row-reader';
import {
  type Answers,
  type Batch,
  type FieldMistake,
  type Label,
  type ModelField,
  type ServedModel,
} from './served-model';

/** Rows × trees that are walked without a pause: some 5 ms. */
const AT_ONCE = 100_000;

/** Rows × trees from which `predictTable` takes threads. */
const WORTH_THREADS = 5_000_000;

/** What a model answers, beside its trees. */
export interface Answering {
  classes: readonly Label[];
  cutoff: ServedModel['cutoff'];
  signal: ServedModel['signal'];
}

/** A model of ours, read back out of its file, in our own predictor. */
export class ForestModel implements ServedModel {
  readonly task: ServedModel['task'];
  readonly fields: readonly ModelField[];
  readonly classes: readonly Label[];
  readonly cutoff: ServedModel['cutoff'];
  readonly signal: PlacedRule | null;
  readonly engine = 'forest';
  private readonly reader: RowReader;
  private readonly inputs: readonly InputColumn[];
  readonly width: number;

  constructor(
    private readonly decoded: DecodedModel,
    { classes, cutoff, signal }: Answering,
    options: ReaderOptions,
  ) {
    const { forest } = decoded;
    this.task = forest.task;
    this.inputs = inputsOf(decoded);
    this.fields = this.inputs.map(fieldOf);
    this.width = preparedWidth(this.inputs);
    this.classes = classes;
    this.cutoff = cutoff;
    this.signal = this.task === 'regression' ? placedRule(signal, this.fields) : null;
    this.reader = new RowReader(this.fields, options);
  }

  read(
    rows: readonly unknown[],
    others?: 'refused' | 'ignored',
  ): { batch: Batch } | { mistakes: FieldMistake[] } {
    return this.reader.read(rows, others);
  }

  get forest(): Forest {
    return this.decoded.forest;
  }

  score(batch: Batch): Answers | Promise<Answers> {
    const { forest } = this.decoded;
    const work = batch.rows * forest.trees.length;
    if (work <= AT_ONCE) return this.answers(batch, predictBatch(forest, this.matrix(batch)));
    return work < WORTH_THREADS ? this.scoreWithPauses(batch) : this.scoreInThreads(batch);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Others get their turn meanwhile. */
  private async scoreWithPauses(batch: Batch): Promise<Answers> {
    const { forest } = this.decoded;
    const matrix = this.matrix(batch);
    const width = predictionWidth(forest);
    const predictions = new Float64Array(batch.rows * width);
    const rows = Math.max(16, Math.floor(AT_ONCE / Math.max(1, forest.trees.length)));
    for (let from = 0; from < batch.rows; from += rows) {
      if (from > 0) await setImmediate();
      predictRange(forest, matrix, from, Math.min(batch.rows, from + rows), predictions);
    }
    return this.answers(batch, predictions);
  }

  private async scoreInThreads(batch: Batch): Promise<Answers> {
    const memory = new SharedArrayBuffer(batch.rows * this.width * Float32Array.BYTES_PER_ELEMENT);
    const matrix = this.matrix(batch, new Float32Array(memory));
    return this.answers(batch, await predictTable(this.decoded.forest, matrix));
  }

  /** The rows as the trees see them. @param values room for them, `[rows · width]` */
  matrix(batch: Batch, values: Float32Array = new Float32Array(batch.rows * this.width)): FeatureMatrix {
    prepareRows(batch, this.inputs, values);
    return { values, rows: batch.rows, features: this.width };
  }

  /** @param predictions `[n, K]` or `[n]`, by the predictor */
  answers(batch: Batch, predictions: Float64Array): Answers {
    const { classes } = this;
    const { rows } = batch;
    if (this.task === 'regression') {
      const signals = signalsOf(this.signal, batch, predictions);
      return { labels: null, probabilities: null, values: predictions, ...signals };
    }
    const count = classes.length;
    const labels = new Array<Label>(rows);
    for (let i = 0; i < rows; i++) {
      let best = 0;
      // The first of equals, as in `classNumbers`.
      for (let k = 1; k < count; k++) {
        if (predictions[i * count + k]! > predictions[i * count + best]!) best = k;
      }
      labels[i] = classes[best]!;
    }
    return { labels, probabilities: predictions, values: null };
  }
}

/** The raw columns that a model takes; prepared ones, as numbers, where it has one input for them all. */
export function inputsOf({ names }: DecodedModel): readonly InputColumn[] {
  return (
    names.inputs ??
    names.featureNames.map((name) => ({ kind: 'number', name, min: null, max: null, impute: null }))
  );
}

/** Every column must be there, and any value may be missing: as the loader in Python has it (docs/decisions/0013). */
function fieldOf(input: InputColumn): ModelField {
  const common = { name: input.name, optional: false, nullable: true } as const;
  if (input.kind === 'number') return { ...common, type: 'number', levels: null };
  return { ...common, type: 'text', levels: input.levels };
}
