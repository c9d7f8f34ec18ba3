import type { Tree } from './forest';

/**
 * Grows one tree node by node. Children are added in pairs. Reusable: `finish` hands out copies of the exact size
 * and starts over.
 */
export class TreeWriter {
  private feature = new Int16Array(64);
  private threshold = new Float32Array(64);
  private child = new Int32Array(64);
  private missingLeft = new Uint8Array(64);
  private values = new Float32Array(64);
  private readonly rowOf = new Map<number, number>();
  private rows = 0;
  private nodes = 1;

  /** @param leafWidth values per leaf */
  constructor(private readonly leafWidth: number) {}

  /** Makes `node` a split and returns its left child; the right one is next to it. Node 0 is there from the start. */
  split(node: number, feature: number, threshold: number, missingLeft: boolean): number {
    const left = this.nodes;
    this.nodes += 2;
    if (this.nodes > this.feature.length) this.grow();
    this.feature[node] = feature;
    this.threshold[node] = threshold;
    this.child[node] = left;
    this.missingLeft[node] = missingLeft ? 1 : 0;
    return left;
  }

  /**
   * Makes `node` a leaf with the values `[leafWidth]`, rounded to float32.
   * @param key leaves of one key must have the same values, and share a row of them: most leaves of a classifier are
   *   pure, so that a table of rows stays small
   */
  leaf(node: number, values: ArrayLike<number>, key?: number): void {
    this.feature[node] = -1;
    this.threshold[node] = 0;
    this.missingLeft[node] = 0;
    const known = key === undefined ? undefined : this.rowOf.get(key);
    if (known !== undefined) {
      this.child[node] = known;
      return;
    }
    const row = this.append(values);
    if (key !== undefined) this.rowOf.set(key, row);
    this.child[node] = row;
  }

  /** The tree so far; the writer is empty afterwards. */
  finish(output = 0): Tree {
    const tree: Tree = {
      feature: this.feature.slice(0, this.nodes),
      threshold: this.threshold.slice(0, this.nodes),
      child: this.child.slice(0, this.nodes),
      missingLeft: this.missingLeft.slice(0, this.nodes),
      values: this.values.slice(0, this.rows * this.leafWidth),
      output,
    };
    this.nodes = 1;
    this.rows = 0;
    this.rowOf.clear();
    return tree;
  }

  private append(values: ArrayLike<number>): number {
    const row = this.rows++;
    const end = this.rows * this.leafWidth;
    if (end > this.values.length) {
      const larger = new Float32Array(Math.max(end, this.values.length * 2));
      larger.set(this.values);
      this.values = larger;
    }
    for (let k = 0; k < this.leafWidth; k++) this.values[row * this.leafWidth + k] = values[k] ?? 0;
    return row;
  }

  private grow(): void {
    const size = this.feature.length * 2;
    const feature = new Int16Array(size);
    feature.set(this.feature);
    this.feature = feature;
    const threshold = new Float32Array(size);
    threshold.set(this.threshold);
    this.threshold = threshold;
    const child = new Int32Array(size);
    child.set(this.child);
    this.child = child;
    const missingLeft = new Uint8Array(size);
    missingLeft.set(this.missingLeft);
    this.missingLeft = missingLeft;
  }
}
