import { MAX_FEATURES, type Tree } from '../forest/forest';
import { eachField, VarintReader } from './protobuf-reader';

/** The attributes of a TreeEnsembleRegressor that hold its trees: one entry per node, and one per leaf and output. */
export const TREE_TABLES: readonly string[] = [
  'nodes_treeids',
  'nodes_nodeids',
  'nodes_featureids',
  'nodes_modes',
  'nodes_values',
  'nodes_truenodeids',
  'nodes_falsenodeids',
  'nodes_missing_value_tracks_true',
  'target_treeids',
  'target_nodeids',
  'target_ids',
  'target_weights',
];

/** What the trees must fit. */
export interface TreeShape {
  /** Columns of the rows that they test. */
  features: number;
  /** Values per row that they make. */
  outputs: number;
  /** Values per leaf: `outputs`, or 1 when each tree serves one output. */
  leafWidth: number;
}

/** The columns of the ensemble's node table, one entry per node. */
interface NodeTable {
  tree: Int32Array;
  node: Int32Array;
  feature: Int32Array;
  /** 1: a split by `<=`; 0: a leaf. */
  split: Uint8Array;
  threshold: Float32Array;
  left: Int32Array;
  right: Int32Array;
  missingLeft: Int32Array;
}

/**
 * Decodes trees as `addTreeEnsemble` writes them. Trusts nothing: every node must be there, in order, and every child
 * come after its parent and have no other, so that each way down ends; features, outputs and lengths must fit.
 *
 * @param tables each of `TREE_TABLES`: the attribute's message
 * @throws RangeError for anything else
 */
export function decodeTrees(tables: ReadonlyMap<string, Uint8Array>, shape: TreeShape): Tree[] {
  insist(shape.features <= MAX_FEATURES, 'there are too many features');
  const nodes = readNodes(tables);
  const leaves = new LeafReader(tables, shape);
  const trees: Tree[] = [];
  const count = nodes.tree.length;
  for (let from = 0, to = 0; from < count; from = to) {
    insist(nodes.tree[from] === trees.length, 'the trees are not in order');
    while (to < count && nodes.tree[to] === trees.length) to++;
    trees.push(treeOf(nodes, from, to, trees.length, shape, leaves));
  }
  insist(trees.length > 0, 'there is no tree');
  leaves.requireEnd();
  return trees;
}

function readNodes(tables: ReadonlyMap<string, Uint8Array>): NodeTable {
  const tree = readInts(tables, 'nodes_treeids');
  const count = tree.length;
  return {
    tree,
    node: readInts(tables, 'nodes_nodeids', count),
    feature: readInts(tables, 'nodes_featureids', count),
    split: readModes(table(tables, 'nodes_modes'), count),
    threshold: readFloats(tables, 'nodes_values', count),
    left: readInts(tables, 'nodes_truenodeids', count),
    right: readInts(tables, 'nodes_falsenodeids', count),
    missingLeft: readInts(tables, 'nodes_missing_value_tracks_true', count),
  };
}

/** The nodes `from` to `to` (exclusive) of the table as a tree. */
function treeOf(
  nodes: NodeTable,
  from: number,
  to: number,
  number: number,
  { features, leafWidth }: TreeShape,
  leaves: LeafReader,
): Tree {
  const size = to - from;
  const child = new Int32Array(size);
  const feature = new Int16Array(size);
  const missingLeft = new Uint8Array(size);
  const hasParent = new Uint8Array(size);
  leaves.begin(number);
  for (let i = 0; i < size; i++) {
    const at = from + i;
    insist(nodes.node[at] === i, 'the nodes are not in order');
    insist(i === 0 || hasParent[i] === 1, 'a node has no parent');
    const left = nodes.left[at]!;
    if (nodes.split[at] === 1) {
      // Both after their parent, whose number is not theirs: no way leads back.
      insist(left > i && left + 1 < size && nodes.right[at] === left + 1, 'a child is not there');
      insist(hasParent[left] === 0 && hasParent[left + 1] === 0, 'a node has two parents');
      insist(nodes.feature[at]! < features, 'a feature is not there');
      insist(!Number.isNaN(nodes.threshold[at]), 'a threshold is no number');
      insist(nodes.missingLeft[at]! <= 1, 'a side is not there');
      hasParent[left] = hasParent[left + 1] = 1;
      feature[i] = nodes.feature[at]!;
      missingLeft[i] = nodes.missingLeft[at]!;
      child[i] = left;
    } else {
      const blank = left === 0 && nodes.right[at] === 0 && nodes.feature[at] === 0;
      insist(blank && nodes.threshold[at] === 0 && nodes.missingLeft[at] === 0, 'a leaf splits');
      feature[i] = -1;
      child[i] = leaves.next(i);
    }
  }
  const { values, output } = leaves.finish(leafWidth);
  return { feature, threshold: nodes.threshold.slice(from, to), child, missingLeft, values, output };
}

/** Reads the values of the leaves, which come in the order of the nodes. */
class LeafReader {
  private readonly tree: Int32Array;
  private readonly node: Int32Array;
  private readonly target: Int32Array;
  private readonly weight: Float32Array;
  private at = 0;
  private number = 0;
  private output = -1;
  private rows = 0;
  private values = new Float32Array(64);
  /** Per output, the row of a leaf that says 1 for it and 0 for the others: most leaves of deep trees. */
  private readonly pure: Int32Array;

  constructor(
    tables: ReadonlyMap<string, Uint8Array>,
    private readonly shape: TreeShape,
  ) {
    this.tree = readInts(tables, 'target_treeids');
    const count = this.tree.length;
    this.node = readInts(tables, 'target_nodeids', count);
    this.target = readInts(tables, 'target_ids', count);
    this.weight = readFloats(tables, 'target_weights', count);
    this.pure = new Int32Array(shape.outputs);
  }

  begin(number: number): void {
    this.number = number;
    this.rows = 0;
    this.output = this.shape.leafWidth === this.shape.outputs ? 0 : -1;
    this.pure.fill(-1);
  }

  /** @returns the row of `values` of the leaf that is the tree's node `node` */
  next(node: number): number {
    const { tree, node: nodes, target, weight, number } = this;
    const { outputs, leafWidth } = this.shape;
    const from = this.at;
    let to = from;
    while (to < tree.length && tree[to] === number && nodes[to] === node) {
      insist(
        target[to]! < outputs && (to === from || target[to]! > target[to - 1]!),
        'an output is not there',
      );
      insist(Number.isFinite(weight[to]), 'a leaf says no number');
      to++;
    }
    insist(to > from, 'a leaf says nothing');
    this.at = to;
    if (this.output < 0) this.output = target[from]!;
    if (leafWidth < outputs)
      insist(to === from + 1 && target[from] === this.output, 'a tree has two outputs');
    const only = to === from + 1 && weight[from] === 1 ? target[from]! : -1;
    if (only >= 0 && this.pure[only]! >= 0) return this.pure[only]!;
    const row = this.rows++;
    if (only >= 0) this.pure[only] = row;
    this.makeRoom(this.rows * leafWidth);
    const first = row * leafWidth;
    this.values.fill(0, first, first + leafWidth);
    for (let i = from; i < to; i++) this.values[first + target[i]! - this.output] = weight[i]!;
    return row;
  }

  finish(leafWidth: number): { values: Float32Array; output: number } {
    return { values: this.values.slice(0, this.rows * leafWidth), output: Math.max(0, this.output) };
  }

  requireEnd(): void {
    insist(this.at === this.tree.length, 'a leaf is not there');
  }

  private makeRoom(size: number): void {
    if (size <= this.values.length) return;
    const larger = new Float32Array(Math.max(size, 2 * this.values.length));
    larger.set(this.values);
    this.values = larger;
  }
}

/** Number of the field of an AttributeProto that holds numbers or texts. */
const FLOATS = 7;
const INTS = 8;
const STRINGS = 9;

function table(tables: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const found = tables.get(name);
  if (found === undefined) throw new RangeError(`the attribute ${name} is not there`);
  return found;
}

/** The numbers of an attribute, none above 2^31 - 1. */
function readInts(tables: ReadonlyMap<string, Uint8Array>, name: string, count?: number): Int32Array {
  const packed = packedOf(table(tables, name), INTS);
  // Every number ends in the only one of its bytes that is below 128.
  let size = 0;
  for (let i = 0; i < packed.length; i++) size += packed[i]! < 0x80 ? 1 : 0;
  insist(count === undefined || size === count, `${name} is of another length`);
  const values = new Int32Array(size);
  const reader = new VarintReader(packed);
  for (let i = 0; i < size; i++) {
    const value = reader.next();
    if (value > 0x7fff_ffff) throw new RangeError(`${name} is out of range`);
    values[i] = value;
  }
  insist(reader.at === packed.length, `${name} ends too early`);
  return values;
}

function readFloats(tables: ReadonlyMap<string, Uint8Array>, name: string, count: number): Float32Array {
  const packed = packedOf(table(tables, name), FLOATS);
  insist(packed.length === 4 * count, `${name} is of another length`);
  const values = new Float32Array(count);
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let i = 0; i < count; i++) values[i] = view.getFloat32(4 * i, true);
  return values;
}

/** The content of the third field of an attribute, after its name and its type, which must be the last. */
function packedOf(attribute: Uint8Array, number: number): Uint8Array {
  const fields = eachField(attribute);
  fields.next();
  fields.next();
  const { value: field } = fields.next();
  insist(field?.number === number && field.wire === 2, 'an attribute has no numbers');
  insist(fields.next().done === true, 'an attribute has too many fields');
  return field?.bytes ?? new Uint8Array();
}

const BRANCH = new TextEncoder().encode('BRANCH_LEQ');
const LEAF = new TextEncoder().encode('LEAF');

/** 1 for each split and 0 for each leaf. Field by field, without an object for each of millions. */
function readModes(attribute: Uint8Array, count: number): Uint8Array {
  const modes = new Uint8Array(count);
  const reader = new VarintReader(attribute);
  // Its name and its type.
  reader.next();
  reader.take(reader.next());
  reader.next();
  reader.next();
  let size = 0;
  while (reader.at < attribute.length) {
    insist(reader.next() === 8 * STRINGS + 2, 'a mode is no text');
    const length = reader.next();
    const from = reader.at;
    reader.take(length);
    insist(size < count, 'there are too many modes');
    const text = length === LEAF.length ? LEAF : BRANCH;
    insist(length === text.length, 'a mode is not known');
    for (let i = 0; i < length; i++) insist(attribute[from + i] === text[i], 'a mode is not known');
    modes[size++] = text === BRANCH ? 1 : 0;
  }
  insist(size === count, 'there are too few modes');
  return modes;
}

/** @throws RangeError */
function insist(condition: boolean, what: string): void {
  if (!condition) throw new RangeError(what);
}
