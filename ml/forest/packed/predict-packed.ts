import { type FeatureMatrix } from '../../dataset/matrix';
import { predictionWidth } from '../forest';
import { finish } from '../predict';
import { type PackedForest } from './packed-forest';
import { walkOn } from './walk-module';
import { LANES, type Walk } from './walk-parts';

/** Predicts many rows as `predictRange` does, bit for bit, in less than half of its time (docs/decisions/0024). */
export class PackedPredictor {
  private readonly walk: Walk;
  private readonly completeWalk: Walk;
  private readonly features: Float32Array;
  private readonly scores: Float32Array;
  /** `[rows of a block, outputs]` */
  private readonly raw: Float32Array;

  /** @param thread which of the rooms is its own */
  constructor(
    private readonly packed: PackedForest,
    private readonly thread: number,
  ) {
    const { memory, module, completeModule, groups, groupBytes, rawBytes } = packed;
    this.walk = walkOn(module, memory);
    this.completeWalk = walkOn(completeModule, memory);
    this.features = new Float32Array(memory.buffer, this.room, (groups * groupBytes) >> 2);
    this.scores = new Float32Array(memory.buffer, this.rawAt, (groups * rawBytes) >> 2);
    this.raw = new Float32Array(groups * LANES * packed.forest.outputs);
  }

  /**
   * @param table of the forest's width
   * @param predictions `[n, K]` or `[n]`, filled in
   */
  predict({ values, rows }: FeatureMatrix, predictions: Float64Array): void {
    const { packed, raw } = this;
    const { forest, groupBytes, rawBytes } = packed;
    const width = predictionWidth(forest);
    const blockRows = packed.groups * LANES;
    for (let from = 0; from < rows; from += blockRows) {
      const count = Math.min(blockRows, rows - from);
      const end = this.room + Math.ceil(count / LANES) * groupBytes;
      this.fill(values, rows, from, count);
      this.scores.fill(0);
      for (const { root, output, levels } of forest.trees) {
        const scores = this.rawAt + output * 4 * LANES;
        const walk = levels === null ? this.walk : this.completeWalk;
        walk(root, this.room, groupBytes, end, scores, rawBytes, 4 * forest.leafWidth, levels ?? 0);
      }
      this.collect(count);
      finish(forest, raw, count, predictions, from * width);
    }
  }

  private get room(): number {
    return this.packed.rooms[this.thread]!;
  }

  private get rawAt(): number {
    return this.room + this.packed.groups * this.packed.groupBytes;
  }

  /**
   * Copies rows into groups. Each feature is there twice: as it is, where a missing value fails every comparison and so goes right; and with
   * -Infinity for missing values, which passes every comparison and goes left.
   */
  private fill(values: Float32Array, tableRows: number, from: number, count: number): void {
    const { features: into } = this;
    const { features } = this.packed.forest;
    const group = this.packed.groupBytes >> 2;
    const twin = features * LANES;
    for (let f = 0; f < features; f++) {
      const first = f * tableRows + from;
      for (let row = 0, at = f * LANES; row < count; at += group) {
        const end = Math.min(row + LANES, count);
        for (let to = at; row < end; row++, to++) {
          const value = values[first + row]!;
          into[to] = value;
          into[to + twin] = value === value ? value : -Infinity;
        }
      }
    }
  }

  /** The raw scores, row by row. */
  private collect(count: number): void {
    const { scores, raw } = this;
    const { outputs } = this.packed.forest;
    for (let row = 0, to = 0; row < count; row++) {
      let at = (row - (row % LANES)) * outputs + (row % LANES);
      for (let k = 0; k < outputs; k++, at += LANES) raw[to++] = scores[at]!;
    }
  }
}
