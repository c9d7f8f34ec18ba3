import { type Forest, type Tree } from '../forest';
import { COMPLETE_NODE_BYTES, LEAST_LEVELS } from './complete-walk';
import { LANE_BYTES } from './walk-parts';

/** More levels than this are never laid out in full. */
const MOST_LEVELS = 16;

/** A tree is laid out in full where that makes at most so many places for each of its nodes. */
const PLACES_PER_NODE = 4;

/** Levels of a tree above its lowest leaf, or as many as there must be; null: laid out in full it would take too much memory. */
export function levelsOf({ feature, child }: Tree): number | null {
  let row = [0];
  let levels = 0;
  for (;;) {
    const below: number[] = [];
    for (const node of row) if (feature[node]! >= 0) below.push(child[node]!, child[node]! + 1);
    if (below.length === 0) break;
    levels++;
    const much = levels > LEAST_LEVELS && 2 ** (levels + 1) > PLACES_PER_NODE * feature.length;
    if (levels > MOST_LEVELS || much) return null;
    row = below;
  }
  return Math.max(LEAST_LEVELS, levels);
}

/** Bytes of a complete tree with so many levels and its leaves' values. */
export const completeBytes = ({ values }: Tree, levels: number): number =>
  COMPLETE_NODE_BYTES * 2 ** (levels + 1) + 4 * values.length;

/**
 * Lays a tree out so that a node's place tells those of its children: all levels in full, the first node of each at a power of two. Below
 * a leaf that is higher than the lowest, every way leads to its values.
 */
export function layOutComplete(
  { feature, threshold, child, missingLeft, values }: Tree,
  { features, leafWidth }: Pick<Forest, 'features' | 'leafWidth'>,
  levels: number,
  root: number,
  ints: Int32Array,
  floats: Float32Array,
): void {
  const width = COMPLETE_NODE_BYTES >> 2;
  const first = root >>> 2;
  const leaves = root + COMPLETE_NODE_BYTES * 2 ** (levels + 1);
  const nodeAt = new Int32Array(2 ** (levels + 1));
  for (let place = 1; place < nodeAt.length; place++) {
    const node = nodeAt[place]!;
    const at = first + width * place;
    const tested = feature[node]!;
    if (place >= nodeAt.length >>> 1) {
      ints[at] = leaves + 4 * leafWidth * child[node]!;
    } else if (tested < 0) {
      // Whichever side a row takes.
      floats[at + 1] = Infinity;
      nodeAt[2 * place] = node;
      nodeAt[2 * place + 1] = node;
    } else {
      ints[at] = (missingLeft[node] === 1 ? features + tested : tested) * LANE_BYTES;
      floats[at + 1] = threshold[node]!;
      nodeAt[2 * place] = child[node]!;
      nodeAt[2 * place + 1] = child[node]! + 1;
    }
  }
  floats.set(values, leaves >>> 2);
}
