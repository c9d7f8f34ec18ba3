import type { Tree } from './forest';

/** Numbers per node in `PackedTree.nodes`. */
const NODE = 4;

/**
 * A tree laid out for many rows: the numbers of a node side by side, so that a step down costs one cache line and not
 * four, and leaves that lead back to themselves, so that a row may take more steps than its way is long.
 */
export interface PackedTree {
  /** `[nodes, 4]` column of the block tested, threshold (as float32 bits), place of the left child, row of `values`. */
  nodes: Int32Array;
  thresholds: Float32Array;
  /** `[v, leafWidth]` */
  values: Float32Array;
  output: number;
}

/** Lays a tree out for blocks of rows with so many features. */
export function packTree(tree: Tree, features: number): PackedTree {
  const nodes = new Int32Array(NODE * tree.feature.length);
  const thresholds = new Float32Array(nodes.buffer);
  packNodes(tree, features, nodes, thresholds);
  return { nodes, thresholds, values: tree.values, output: tree.output };
}

function packNodes(
  { feature, threshold, child, missingLeft }: Tree,
  features: number,
  nodes: Int32Array,
  thresholds: Float32Array,
): void {
  for (let i = 0; i < feature.length; i++) {
    const at = NODE * i;
    const tested = feature[i]!;
    if (tested < 0) {
      // A column without NaN, and no number is above infinity: always "left", to itself.
      nodes[at] = features;
      thresholds[at + 1] = Infinity;
      nodes[at + 2] = at;
      nodes[at + 3] = child[i]!;
    } else {
      nodes[at] = missingLeft[i] === 1 ? features + tested : tested;
      thresholds[at + 1] = threshold[i]!;
      nodes[at + 2] = NODE * child[i]!;
    }
  }
}

/**
 * Copies rows `from` on of a table into a row-major block `[count, 2 · features]`. Each feature is there twice: as it
 * is, where a missing value fails every comparison and so goes right; and with -Infinity for missing values, which
 * passes every comparison and goes left.
 */
export function fillBlock(
  values: Float32Array,
  tableRows: number,
  features: number,
  from: number,
  count: number,
  block: Float32Array,
): void {
  const width = 2 * features;
  for (let f = 0; f < features; f++) {
    const first = f * tableRows + from;
    for (let i = 0; i < count; i++) {
      const value = values[first + i]!;
      const at = i * width + f;
      block[at] = value;
      block[at + features] = value === value ? value : -Infinity;
    }
  }
}

/** Rows that go down a tree together. A block has room for a multiple of it. */
export const ROWS_ABREAST = 4;

/**
 * Adds the leaves that the first `count` rows of a block fall into to their raw scores; and those of the rows that fill
 * up the last four, whose scores nobody reads. Four rows go down together and without a branch: which way a row goes
 * cannot be predicted, and the next node of one loads while the others compare.
 */
export function addLeaves(
  { nodes, thresholds, values, output }: PackedTree,
  leafWidth: number,
  block: Float32Array,
  width: number,
  count: number,
  raw: Float32Array,
  outputs: number,
): void {
  for (let i = 0; i < count; i += ROWS_ABREAST) {
    const a = i * width;
    const b = a + width;
    const c = b + width;
    const d = c + width;
    let p = 0;
    let q = 0;
    let r = 0;
    let s = 0;
    for (;;) {
      const p2 = (nodes[p + 2]! + NODE * Number(!(block[a + nodes[p]!]! <= thresholds[p + 1]!))) | 0;
      const q2 = (nodes[q + 2]! + NODE * Number(!(block[b + nodes[q]!]! <= thresholds[q + 1]!))) | 0;
      const r2 = (nodes[r + 2]! + NODE * Number(!(block[c + nodes[r]!]! <= thresholds[r + 1]!))) | 0;
      const s2 = (nodes[s + 2]! + NODE * Number(!(block[d + nodes[s]!]! <= thresholds[s + 1]!))) | 0;
      if (((p ^ p2) | (q ^ q2) | (r ^ r2) | (s ^ s2)) === 0) break;
      p = p2;
      q = q2;
      r = r2;
      s = s2;
    }
    const to = i * outputs + output;
    addRow(values, nodes[p + 3]! * leafWidth, leafWidth, raw, to);
    addRow(values, nodes[q + 3]! * leafWidth, leafWidth, raw, to + outputs);
    addRow(values, nodes[r + 3]! * leafWidth, leafWidth, raw, to + 2 * outputs);
    addRow(values, nodes[s + 3]! * leafWidth, leafWidth, raw, to + 3 * outputs);
  }
}

/** Adds `width` numbers of `from[at…]` to `to[first…]`. */
export function addRow(from: Float32Array, at: number, width: number, to: Float32Array, first: number): void {
  for (let k = 0; k < width; k++) to[first + k]! += from[at + k]!;
}
