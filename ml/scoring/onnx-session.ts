import { InferenceSession, Tensor } from 'onnxruntime-node';
import { listed, RetrainError } from '../../contracts/errors';
import { MODEL_OUTPUT } from '../../contracts/stage';
import { type FeatureMatrix } from '../dataset/matrix';
import { type Column, textAt } from '../dataset/raw-table';
import { type NativeSection } from './native-section';
import { type Effort, lacking, type Scored, type Scorer, type ScoringTable } from './scoring-table';

/** What a row is taken to cost in a model of which nothing is known. */
const COST = 200;

/** Rows per call: native calls stay short, so that a cancellation is not kept waiting. */
const BATCH_ROWS = 4096;

const OUTPUTS = [MODEL_OUTPUT.label, MODEL_OUTPUT.probabilities, MODEL_OUTPUT.prediction] as const;
type Output = (typeof OUTPUTS)[number];

/** A model in onnxruntime, on one thread, so that the sums are the same on every machine. */
export class OnnxSession implements Scorer {
  private constructor(
    private readonly session: InferenceSession,
    private readonly native: NativeSection,
  ) {}

  /** @throws RetrainError MODEL_INVALID when the model cannot be loaded. */
  static async open(model: Uint8Array, native: NativeSection): Promise<OnnxSession> {
    return new OnnxSession(await native.run(() => loaded(model)), native);
  }

  async score(table: ScoringTable, onProgress?: (done: number) => void): Promise<Scored> {
    const { session, native } = this;
    const feed = feedFor(session, table);
    const wanted = OUTPUTS.filter((name) => session.outputNames.includes(name));
    if (wanted.length === 0) {
      throw new RetrainError(
        'MODEL_INVALID',
        `the model has the outputs ${listed(session.outputNames)}, expected one of ${OUTPUTS.join(', ')}`,
      );
    }
    const said = new Collector(wanted, table.rows);
    for (let start = 0; start < table.rows; start += BATCH_ROWS) {
      const end = Math.min(start + BATCH_ROWS, table.rows);
      const outputs = await native.run(() => session.run(feed(start, end), wanted).catch(refused));
      said.add(outputs, start, end);
      onProgress?.(end);
    }
    return said.finish();
  }

  effort(): Promise<Effort> {
    return Promise.resolve({ cost: COST, uses: null });
  }

  async close(): Promise<void> {
    await this.native.run(() => this.session.release());
  }
}

const loaded = (model: Uint8Array): Promise<InferenceSession> =>
  InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  }).catch(refused);

function refused(error: unknown): never {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  throw new RetrainError('MODEL_INVALID', `onnxruntime refuses the model: ${line}`, { cause: error });
}

type Feed = (start: number, end: number) => Record<string, Tensor>;

/** Raw columns by name where the model names them, else the dense matrix. */
function feedFor({ inputNames, inputMetadata }: InferenceSession, table: ScoringTable): Feed {
  const columns = inputNames.map((name) => table.columns.find((column) => column.name === name));
  // A dense input may happen to be called as a column; but it takes several features at once.
  const oneByOne = inputMetadata.every((input) => !input.isTensor || input.shape[1] === 1);
  if (oneByOne && columns.every((column) => column !== undefined)) {
    return (start, end) =>
      Object.fromEntries(columns.map((column) => [column.name, rawTensor(column, start, end)]));
  }
  const [only] = inputNames;
  if (inputNames.length === 1 && only !== undefined) {
    const matrix = table.matrix();
    return (start, end) => ({ [only]: denseTensor(matrix, start, end) });
  }
  throw lacking(inputNames, table);
}

function rawTensor(column: Column, start: number, end: number): Tensor {
  const shape = [end - start, 1];
  if (column.kind === 'number') {
    return new Tensor('float32', Float32Array.from(column.values.subarray(start, end)), shape);
  }
  const texts = Array.from({ length: end - start }, (_, i) => textAt(column, start + i) ?? '');
  return new Tensor('string', texts, shape);
}

function denseTensor({ values, rows, features }: FeatureMatrix, start: number, end: number): Tensor {
  const batch = new Float32Array((end - start) * features);
  for (let f = 0; f < features; f++) {
    for (let row = start; row < end; row++) {
      batch[(row - start) * features + f] = values[f * rows + row] ?? Number.NaN;
    }
  }
  return new Tensor('float32', batch, [end - start, features]);
}

/** Puts the outputs of the batches together. */
class Collector {
  readonly #labels: string[] = [];
  #probabilities: Float64Array | null = null;
  #values: Float64Array | null = null;

  constructor(
    private readonly wanted: readonly Output[],
    private readonly rows: number,
  ) {}

  add(outputs: InferenceSession.OnnxValueMapType, start: number, end: number): void {
    for (const name of this.wanted) {
      const data: unknown = outputs[name]?.data;
      if (name === 'label') this.#addLabels(data);
      else if (data instanceof Float32Array) this.#addNumbers(name, data, start, end);
      // A sequence of maps (scikit-learn's ZipMap) has no such data: then there are only labels.
    }
  }

  finish(): Scored {
    return {
      labels: this.wanted.includes('label') ? this.#labels : null,
      probabilities: this.#probabilities,
      values: this.#values,
    };
  }

  #addLabels(data: unknown): void {
    if (Array.isArray(data)) for (const label of data) this.#labels.push(String(label));
    else if (data instanceof BigInt64Array) for (const label of data) this.#labels.push(String(label));
    else throw new RetrainError('MODEL_INVALID', 'the output "label" holds neither strings nor integers');
  }

  #addNumbers(name: 'probabilities' | 'prediction', data: Float32Array, start: number, end: number): void {
    const width = data.length / (end - start);
    if (name === 'probabilities') {
      this.#probabilities ??= new Float64Array(this.rows * width);
      this.#probabilities.set(data, start * width);
    } else {
      this.#values ??= new Float64Array(this.rows);
      this.#values.set(data, start);
    }
  }
}
