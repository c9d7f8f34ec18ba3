import { type Forest, type Tree } from '../forest';
import { completeBytes, layOutComplete, levelsOf } from './complete-tree';
import { completeWalkModule } from './complete-walk';
import { NODE_BYTES, walkModule } from './walk-module';
import { LANE_BYTES, MOST_PAGES } from './walk-parts';
import { type WasmMemory, type WasmModule, webAssembly } from './web-assembly';

/** Bytes of rows that go through the trees together, of each thread: much more than a tree, and small enough for a core's own cache. */
const BLOCK_BYTES = 1 << 20;

const PAGE = 1 << 16;

/** Trees, and what threads work in, begin where a line of a core's cache does. */
const CACHE_LINE = 64;

/**
 * A forest laid out for WebAssembly in memory that threads share, with room for each of them to work in. It goes to a thread as a message.
 */
export interface PackedForest {
  forest: Omit<Forest, 'trees'> & { trees: readonly PackedTree[] };
  /** The walk through trees of any form, and that through complete ones. */
  module: WasmModule;
  completeModule: WasmModule;
  memory: WasmMemory;
  /** Bytes of the features of a group of rows, and of its raw scores. */
  groupBytes: number;
  rawBytes: number;
  /** Groups of rows that a thread has room for. */
  groups: number;
  /** Where each thread works: the features of its groups, behind them their raw scores. */
  rooms: readonly number[];
}

interface PackedTree {
  root: number;
  output: number;
  /** Of one that is laid out in full; null: its nodes tell their children. */
  levels: number | null;
}

/** Packs a forest, for so many threads. */
export function packForest(forest: Forest, threads: number): PackedForest {
  // A leaf reads a column too, even where the model takes none.
  const groupBytes = 2 * Math.max(1, forest.features) * LANE_BYTES;
  const rawBytes = forest.outputs * LANE_BYTES;
  const groups = Math.max(1, Math.floor(BLOCK_BYTES / (groupBytes + rawBytes)));
  const roomBytes = groups * (groupBytes + rawBytes);
  const levels = forest.trees.map(levelsOf);
  const treeBytes = forest.trees.reduce((sum, tree, t) => sum + bytesOf(tree, levels[t] ?? null), 0);
  const pages = Math.ceil((treeBytes + threads * roomBytes) / PAGE);
  const memory = new webAssembly.Memory({ initial: pages, maximum: MOST_PAGES, shared: true });
  const ints = new Int32Array(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  let at = 0;
  const trees = forest.trees.map((tree, t): PackedTree => {
    const root = at;
    const full = levels[t] ?? null;
    if (full === null) packTree(tree, forest, root, ints, floats);
    else layOutComplete(tree, forest, full, root, ints, floats);
    at += bytesOf(tree, full);
    return { root, output: tree.output, levels: full };
  });
  return {
    ...{ forest: { ...forest, trees }, memory },
    ...{ module: walkModule(), completeModule: completeWalkModule() },
    ...{ groupBytes, rawBytes, groups },
    rooms: Array.from({ length: threads }, (_, thread) => treeBytes + thread * roomBytes),
  };
}

function bytesOf(tree: Tree, levels: number | null): number {
  const bytes =
    levels === null ? NODE_BYTES * tree.feature.length + 4 * tree.values.length : completeBytes(tree, levels);
  return Math.ceil(bytes / CACHE_LINE) * CACHE_LINE;
}

/**
 * Nodes, behind them the values of the leaves. A leaf leads back to itself, so that a row may take more steps than its way is long: it
 * tests a column without NaN, of which no number is above infinity.
 */
function packTree(
  { feature, threshold, child, missingLeft, values }: Tree,
  { features, leafWidth }: Forest,
  root: number,
  ints: Int32Array,
  floats: Float32Array,
): void {
  const leaves = root + NODE_BYTES * feature.length;
  for (let i = 0; i < feature.length; i++) {
    const address = root + NODE_BYTES * i;
    const at = address >>> 2;
    const tested = feature[i]!;
    if (tested < 0) {
      ints[at] = features * LANE_BYTES;
      floats[at + 1] = Infinity;
      ints[at + 2] = address;
      ints[at + 3] = leaves + 4 * leafWidth * child[i]!;
    } else {
      ints[at] = (missingLeft[i] === 1 ? features + tested : tested) * LANE_BYTES;
      floats[at + 1] = threshold[i]!;
      ints[at + 2] = root + NODE_BYTES * child[i]!;
    }
  }
  floats.set(values, leaves >>> 2);
}
