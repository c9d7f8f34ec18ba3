import { requireHarmless } from '../../ml/onnx/require-harmless';
import { answering, toLabel } from './answering';
import { type AskedOutputs, askedOutputs, decide, numbersOf, type Tried, wrongSize } from './asked-outputs';
import { readForeignGraph } from './foreign-graph';
import { type GraphColumns, graphColumns, tensorsOf } from './graph-columns';
import { type ModelCard } from './model-card';
import { OnnxProcess } from './onnx-process';
import { type SentTensor } from './onnx-protocol';
import { type OpenOptions } from './open-options';
import { type PlacedRule, placedRule, signalsOf } from './signals';
import { RowReader } from './row-reader';
import {
  type Answers,
  type Batch,
  type FieldMistake,
  type Label,
  type ModelField,
  type ServedModel,
} from './served-model';

/** Rows of one call: the memory that a model takes for them is bounded, and so is the time. */
const BATCH_ROWS = 8192;

/** A model of anyone, in onnxruntime, in a process of its own. */
export class OnnxModel implements ServedModel {
  readonly engine = 'onnxruntime';
  readonly fields: readonly ModelField[];
  readonly task: ServedModel['task'];
  private readonly reader: RowReader;

  private constructor(
    private readonly process: OnnxProcess,
    private readonly columns: GraphColumns,
    private readonly asked: AskedOutputs,
    readonly classes: readonly Label[],
    readonly cutoff: ServedModel['cutoff'],
    readonly signal: PlacedRule | null,
    private readonly labelOf: (value: string | number | bigint) => Label,
    aliases: OpenOptions['aliases'],
  ) {
    this.fields = columns.fields;
    this.task = asked.values === null ? 'classification' : 'regression';
    this.reader = new RowReader(columns.fields, { aliases });
  }

  /**
   * Starts its process and asks it about its input example, or a row of zeros.
   *
   * @throws RetrainError MODEL_INVALID
   */
  static async open(bytes: Uint8Array, card: ModelCard, options: OpenOptions): Promise<OnnxModel> {
    requireHarmless(bytes);
    const graph = readForeignGraph(bytes);
    const columns = graphColumns(graph.inputs, card);
    const labelOf = toLabel(card);
    const told = (card.classes ?? graph.classes ?? []).map((label) =>
      typeof label === 'boolean' ? label : labelOf(label),
    );
    const asked = askedOutputs(graph.outputs, told);
    const source = graph.rewritten === null ? { file: card.file } : { bytes: graph.rewritten };
    const process = new OnnxProcess(source, options.bounds);
    try {
      await process.open();
      const draft = new OnnxModel(process, columns, asked, told, null, null, labelOf, options.aliases);
      const width = await draft.tryOut(card);
      const decided = decide(asked, width, told, graph.outputs);
      const { cutoff, signal } = answering(decided.classes, card);
      const rule = decided.asked.values === null ? null : placedRule(signal, columns.fields);
      return new OnnxModel(
        process,
        columns,
        decided.asked,
        decided.classes,
        cutoff,
        rule,
        labelOf,
        options.aliases,
      );
    } catch (error) {
      await process.close();
      throw error;
    }
  }

  read(
    rows: readonly unknown[],
    others?: 'refused' | 'ignored',
  ): { batch: Batch } | { mistakes: FieldMistake[] } {
    return this.reader.read(rows, others);
  }

  async score(batch: Batch): Promise<Answers> {
    const count = this.classes.length;
    const { asked } = this;
    const labels: Label[] | null = this.task === 'classification' ? [] : null;
    const numbers = new Float64Array(batch.rows * (asked.probabilities === null ? 1 : count));
    for (let from = 0; from < batch.rows; from += BATCH_ROWS) {
      const to = Math.min(batch.rows, from + BATCH_ROWS);
      const said = await this.ask(batch, from, to);
      const table = numbersOf(said, asked, to - from);
      if (table !== undefined) put(table, numbers, from, to, asked.probabilities === null ? 1 : count);
      if (labels !== null) this.putLabels(said.get(asked.label ?? ''), labels, numbers, from, to);
    }
    if (asked.values !== null) {
      const signals = signalsOf(this.signal, batch, numbers);
      return { labels, probabilities: null, values: numbers, ...signals };
    }
    return { labels, probabilities: asked.probabilities === null ? null : numbers, values: null };
  }

  close(): Promise<void> {
    return this.process.close();
  }

  private async ask(batch: Batch, from: number, to: number): Promise<ReadonlyMap<string, SentTensor>> {
    const { label, probabilities, values } = this.asked;
    const names = [label, probabilities, values].flat().filter((name) => name !== null);
    const said = await this.process.run(tensorsOf(this.columns, batch, from, to), names);
    return new Map(said.map((tensor) => [tensor.name, tensor]));
  }

  private putLabels(
    said: SentTensor | undefined,
    labels: Label[],
    probabilities: Float64Array,
    from: number,
    to: number,
  ): void {
    if (said !== undefined) {
      if (said.data.length !== to - from) throw wrongSize(said, to - from);
      for (let i = 0; i < to - from; i++) {
        const value = said.data[i]!;
        labels.push(said.type === 'bool' ? value === 1 : this.labelOf(value));
      }
      return;
    }
    const count = this.classes.length;
    for (let i = from; i < to; i++) {
      let best = 0;
      for (let k = 1; k < count; k++) {
        if (probabilities[i * count + k]! > probabilities[i * count + best]!) best = k;
      }
      labels.push(this.classes[best]!);
    }
  }

  /** How wide the table of numbers is that it answers, and whether it is one of probabilities. */
  private async tryOut({ example, ours }: ModelCard): Promise<Tried | null> {
    const { fields, asked } = this;
    const names = example.columns ?? ours?.columns ?? fields.map(({ name }) => name);
    const rows = example.rows.map((row) =>
      Object.fromEntries(row.map((cell, at) => [names[at] ?? `x${at}`, cell])),
    );
    const read = rows.length === 0 ? null : this.read(rows, 'ignored');
    const real = read !== null && 'batch' in read;
    const batch = real ? read.batch : zeros(fields);
    try {
      const said = await this.ask(batch, 0, batch.rows);
      const table = numbersOf(said, asked, batch.rows);
      if (table === undefined) return null;
      const width = table.data.length / batch.rows;
      const shares = sharesOf(table, batch.rows, width);
      return { width, shares: !real && !shares && !allFinite(table) ? null : shares };
    } catch (error) {
      // A made-up row may be none that it takes.
      if (real) throw error;
      return null;
    }
  }
}

const zeros = (fields: readonly ModelField[]): Batch => ({
  rows: 1,
  columns: fields.map(({ name, type }) =>
    type === 'text'
      ? { kind: 'text', name, codes: Int32Array.of(-1), levels: [] }
      : { kind: 'number', name, values: Float64Array.of(0) },
  ),
});

function allFinite({ data }: SentTensor): boolean {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(Number(data[i]))) return false;
  return true;
}

function sharesOf({ data }: SentTensor, rows: number, width: number): boolean {
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let k = 0; k < width; k++) {
      const share = Number(data[i * width + k]);
      if (!(share >= -1e-6 && share <= 1 + 1e-6)) return false;
      sum += share;
    }
    if (Math.abs(sum - 1) > 1e-3) return false;
  }
  return true;
}

function put(table: SentTensor, into: Float64Array, from: number, to: number, width: number): void {
  if (table.data.length !== (to - from) * width) throw wrongSize(table, (to - from) * width);
  for (let i = 0; i < table.data.length; i++) into[from * width + i] = Number(table.data[i]);
}
