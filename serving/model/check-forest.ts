import { type InputColumn } from '../../contracts/stage';
import { countNodes, type Forest } from '../../ml/forest/forest';
import { MODEL_OUTPUT } from '../../contracts/stage';
import { type DecodedModel } from '../../ml/onnx/decode';
import { encodeOnnx, ONNX_INPUT } from '../../ml/onnx/encode';
import { Random } from '../../ml/random/random';
import { someTrees } from '../../ml/scoring/some-trees';
import { inputsOf, ForestModel } from './forest-model';
import { OnnxProcess, type OnnxBounds } from './onnx-process';
import { type SentTensor } from './onnx-protocol';
import { prepareRows } from './prepared-rows';
import { type Batch } from './served-model';

/** Rows that are made up beside the input example. */
const SAMPLE_ROWS = 64;

/** A forest of so many nodes is loaded in 0.3 s as it is; to write a smaller one takes as long as that saves. */
const WHOLE_NODES = 250_000;

/** Least difference that counts, of probabilities and, relative to its size, of a value. */
const TOLERANCE = 1e-6;

/**
 * Whether our predictor says of a model what onnxruntime says of it: of the rows of its input example, and of rows made of the numbers
 * that its trees compare with, its levels, unknown texts and missing values. Of a large forest some trees are asked.
 *
 * @param example rows of the input example, in the order of the model's fields
 */
export async function agreesWithOnnxruntime(
  file: string,
  decoded: DecodedModel,
  example: readonly (readonly unknown[])[],
  bounds: OnnxBounds,
): Promise<boolean> {
  const { names } = decoded;
  const whole = countNodes(decoded.forest) <= WHOLE_NODES;
  const trees = whole ? decoded.forest.trees : someTrees(decoded.forest);
  const some: DecodedModel = { forest: { ...decoded.forest, trees }, names };
  const judge = new OnnxProcess(whole ? { file } : { bytes: encodeOnnx(some.forest, names) }, bounds);
  try {
    // It loads the model meanwhile.
    const opened = judge.open();
    opened.catch(() => undefined);
    const ours = new ForestModel(some, { classes: names.classLabels, cutoff: null, signal: null }, {});
    const batch = sampleBatch(some, ours, example);
    const said = await ours.score(batch);
    await opened;
    const regression = decoded.forest.task === 'regression';
    const outputs = regression ? [MODEL_OUTPUT.prediction] : [MODEL_OUTPUT.label, MODEL_OUTPUT.probabilities];
    const theirs = await judge.run(feedsOf(decoded, batch), outputs);
    if (regression) return close(said.values, theirs[0]?.data);
    const labels = theirs[0]?.data as readonly string[];
    return (
      close(said.probabilities, theirs[1]?.data) && said.labels?.every((one, i) => one === labels[i]) === true
    );
  } finally {
    await judge.close();
  }
}

function close(ours: Float64Array | null, theirs: SentTensor['data'] | undefined): boolean {
  if (ours === null || theirs === undefined || ours.length !== theirs.length) return false;
  return ours.every((value, i) => {
    const other = Number(theirs[i]);
    return Math.abs(value - other) <= TOLERANCE * Math.max(1, Math.abs(value)) || Object.is(value, other);
  });
}

/** The example's rows that the model takes, and made ones. */
function sampleBatch(
  decoded: DecodedModel,
  model: ForestModel,
  example: readonly (readonly unknown[])[],
): Batch {
  const made = madeRows(decoded);
  const records = [...example, ...made].map((row) =>
    Object.fromEntries(model.fields.map(({ name }, f) => [name, row[f] ?? null])),
  );
  const taken = records.filter((record) => 'batch' in model.read([record]));
  const read = model.read(taken);
  if ('batch' in read) return read.batch;
  throw new RangeError('rows that are taken one by one are not taken together');
}

/** A seed of no meaning: the same rows each time. */
const SEED = 20_240_229;

function madeRows({ forest, names }: DecodedModel): (string | number | null)[][] {
  const random = new Random(SEED);
  const inputs = inputsOf({ forest, names });
  const thresholds = thresholdsByFeature(forest);
  const one = <T>(items: readonly T[]): T | undefined => items[Math.floor(random.float() * items.length)];
  const cell = (input: InputColumn, feature: number): string | number | null => {
    if (random.float() < 0.1) return null;
    if (input.kind === 'category') return random.float() < 0.1 ? 'no such level' : (one(input.levels) ?? 'x');
    const threshold = one(thresholds[feature] ?? []) ?? 0;
    const beside = [threshold, Math.fround(threshold * (1 + 2 ** -20)), threshold - 1, threshold * 2];
    const value = one(beside) ?? threshold;
    return Number.isFinite(Math.fround(value)) ? value : 0;
  };
  return Array.from({ length: SAMPLE_ROWS }, () => {
    let feature = 0;
    return inputs.map((input) => {
      const made = cell(input, feature);
      feature += input.kind === 'category' && input.encoding === 'one-hot' ? input.levels.length : 1;
      return made;
    });
  });
}

/** Numbers of a feature that are remembered. */
const MOST_THRESHOLDS = 200;

function thresholdsByFeature({ trees, features }: Forest): number[][] {
  const found = Array.from({ length: features }, (): number[] => []);
  for (const { feature, threshold } of trees) {
    for (let node = 0; node < feature.length; node++) {
      const list = found[feature[node]!];
      if (list !== undefined && list.length < MOST_THRESHOLDS) list.push(threshold[node]!);
    }
  }
  return found;
}

/** A batch as a model of ours takes it in onnxruntime. */
function feedsOf(decoded: DecodedModel, batch: Batch): SentTensor[] {
  const { rows } = batch;
  if (decoded.names.inputs === undefined) {
    const width = decoded.forest.features;
    const columns = new Float32Array(rows * width);
    prepareRows(batch, inputsOf(decoded), columns);
    const data = new Float32Array(rows * width);
    for (let f = 0; f < width; f++)
      for (let i = 0; i < rows; i++) data[i * width + f] = columns[f * rows + i]!;
    return [{ name: ONNX_INPUT, type: 'float32', dims: [rows, width], data }];
  }
  return batch.columns.map((column): SentTensor => {
    const { name } = column;
    if (column.kind === 'number') {
      return { name, type: 'float32', dims: [rows, 1], data: Float32Array.from(column.values) };
    }
    const data = Array.from(column.codes, (code) => column.levels[code] ?? '');
    return { name, type: 'string', dims: [rows, 1], data };
  });
}
