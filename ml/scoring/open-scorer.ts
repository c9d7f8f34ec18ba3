import { decodeOnnx, type DecodedModel } from '../onnx/decode';
import { encodeOnnx } from '../onnx/encode';
import { requireHarmless } from '../onnx/require-harmless';
import { ForeignModel } from './foreign-model';
import { ForestScorer } from './forest-scorer';
import { type NativeSection } from './native-section';
import { type Effort, everyRow, type Scored, type Scorer, type ScoringTable } from './scoring-table';
import { someTrees } from './some-trees';

/** Rows, evenly spread, on which our predictor is held against onnxruntime. */
const SAMPLE_ROWS = 64;

/** Least difference that counts, of probabilities and, relative to its size, of a value. */
const TOLERANCE = 1e-6;

/**
 * Makes an ONNX model ready to be asked. One of ours that is made of trees is read back and asked in our own predictor,
 * once that has agreed with onnxruntime on a sample of the first table's rows; any other is asked in onnxruntime.
 * Both say the same, to 1e-6. A model of others is looked at first: see `requireHarmless`.
 *
 * @param foreign refused: scoring a model of others throws ForeignModel
 */
export function openScorer(
  model: Uint8Array,
  native: NativeSection,
  foreign: 'taken' | 'refused' = 'taken',
): Scorer {
  return new CheckedScorer(model, native, foreign);
}

class CheckedScorer implements Scorer {
  /** Once the first table has come. */
  private scorer: Promise<Scorer> | undefined;

  constructor(
    private readonly model: Uint8Array,
    private readonly native: NativeSection,
    private readonly foreign: 'taken' | 'refused',
  ) {}

  async score(table: ScoringTable, onProgress?: (done: number) => void): Promise<Scored> {
    if (this.scorer === undefined) {
      const chosen = this.choose(table);
      // A table that the model does not take says nothing of the next one.
      chosen.catch(() => (this.scorer = undefined));
      this.scorer = chosen;
    }
    return (await this.scorer).score(table, onProgress);
  }

  async effort(): Promise<Effort> {
    if (this.scorer === undefined) throw new Error('no table was scored');
    return (await this.scorer).effort();
  }

  async close(): Promise<void> {
    const scorer = await this.scorer?.catch(() => undefined);
    await scorer?.close();
  }

  private async choose(table: ScoringTable): Promise<Scorer> {
    const { model, native } = this;
    const decoded = decodeOnnx(model);
    if (decoded !== undefined && (await agrees(model, decoded, table, native)))
      return new ForestScorer(decoded);
    if (decoded === undefined) {
      if (this.foreign === 'refused') throw new ForeignModel('it is no forest of ours');
      requireHarmless(model);
    }
    return openSession(model, native);
  }
}

/** Native code is loaded when it is needed. */
async function openSession(model: Uint8Array, native: NativeSection): Promise<Scorer> {
  const { OnnxSession } = await native.run(() => import('./onnx-session.js'));
  return OnnxSession.open(model, native);
}

/** Whether our predictor says what onnxruntime says, by some of the trees, of some of the rows. */
async function agrees(
  model: Uint8Array,
  { forest, names }: DecodedModel,
  table: ScoringTable,
  native: NativeSection,
): Promise<boolean> {
  const rows = everyRow(table, 0, table.rows, Math.max(1, Math.floor(table.rows / SAMPLE_ROWS)));
  const trees = someTrees(forest);
  const some = { forest: { ...forest, trees }, names };
  const ours = await new ForestScorer(some).score(rows);
  const whole = trees.length === forest.trees.length;
  const judge = await openSession(whole ? model : encodeOnnx(some.forest, names), native);
  try {
    return sameSaid(ours, await judge.score(rows));
  } finally {
    await judge.close();
  }
}

function sameSaid(ours: Scored, theirs: Scored): boolean {
  const close = (one: Float64Array | null, other: Float64Array | null): boolean =>
    one === null || other === null
      ? one === other
      : one.length === other.length &&
        one.every((value, i) => {
          const difference = Math.abs(value - other[i]!);
          return difference <= TOLERANCE * Math.max(1, Math.abs(value)) || Object.is(value, other[i]);
        });
  return (
    close(ours.probabilities, theirs.probabilities) &&
    close(ours.values, theirs.values) &&
    ours.labels?.join('\n') === theirs.labels?.join('\n')
  );
}
