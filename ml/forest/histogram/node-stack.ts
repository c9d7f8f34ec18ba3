/** Nodes that wait to be split, last in, first out. After `pop`, the fields are those of the node that came out. */
export class NodeStack {
  node = 0;
  /** Rows of the node: `from` to `to` (exclusive) of the place's row numbers, in the array number `side`. */
  from = 0;
  to = 0;
  depth = 0;
  side: 0 | 1 = 0;
  /** Moments of the node as its parent's split left them; a count of -1: unknown. */
  count = -1;
  sum = 0;

  private top = 0;
  private integers = new Int32Array(5 * 64);
  private moments = new Float64Array(2 * 64);

  push(node: number, from: number, to: number, depth: number, side: 0 | 1, count: number, sum: number): void {
    if (5 * this.top === this.integers.length) this.grow();
    const { integers, moments, top } = this;
    integers[5 * top] = node;
    integers[5 * top + 1] = from;
    integers[5 * top + 2] = to;
    integers[5 * top + 3] = depth;
    integers[5 * top + 4] = side;
    moments[2 * top] = count;
    moments[2 * top + 1] = sum;
    this.top = top + 1;
  }

  /** @returns false when no node is left */
  pop(): boolean {
    if (this.top === 0) return false;
    const top = --this.top;
    const { integers, moments } = this;
    this.node = integers[5 * top]!;
    this.from = integers[5 * top + 1]!;
    this.to = integers[5 * top + 2]!;
    this.depth = integers[5 * top + 3]!;
    this.side = integers[5 * top + 4] === 1 ? 1 : 0;
    this.count = moments[2 * top]!;
    this.sum = moments[2 * top + 1]!;
    return true;
  }

  private grow(): void {
    const integers = new Int32Array(2 * this.integers.length);
    integers.set(this.integers);
    this.integers = integers;
    const moments = new Float64Array(2 * this.moments.length);
    moments.set(this.moments);
    this.moments = moments;
  }
}
