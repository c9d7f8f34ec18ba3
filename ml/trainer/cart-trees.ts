import type { RandomForestClassifier } from 'ml-random-forest';
import type { Tree } from '../forest/forest';
import { largestFloat32Below } from '../forest/float32';
import { TreeWriter } from '../forest/tree-writer';

/**
 * A node as ml-cart 2 leaves it: a split has both children, a leaf the shares of the classes up to the last one
 * that it has seen.
 */
interface CartNode {
  left?: CartNode;
  right?: CartNode;
  splitColumn?: number;
  splitValue?: number;
  distribution?: { getRow(row: number): number[] };
}

/** The trained parts of a package forest, which its types leave out. */
interface CartForest {
  /** Per tree, the features that were drawn for it; splits number their columns by these. */
  indexes: number[][];
  estimators: { root: CartNode }[];
}

/**
 * The trees of a trained ml-random-forest classifier in our form, one row of class shares `[K]` per leaf. They decide
 * every float32 row as the package does.
 */
export function treesOf(forest: RandomForestClassifier, classes: number): Tree[] {
  const { indexes, estimators } = forest as unknown as CartForest;
  const writer = new TreeWriter(classes);
  return estimators.map(({ root }, t) => {
    copyNode(root, 0, indexes[t] ?? [], classes, writer);
    return writer.finish();
  });
}

function copyNode(node: CartNode, at: number, drawn: number[], classes: number, writer: TreeWriter): void {
  const { left, right, splitColumn, splitValue, distribution } = node;
  if (left !== undefined && right !== undefined && splitColumn !== undefined && splitValue !== undefined) {
    // ml-cart goes left on `x < splitValue`, in float64; a missing value fails that test.
    const child = writer.split(at, drawn[splitColumn] ?? 0, largestFloat32Below(splitValue), false);
    copyNode(left, child, drawn, classes, writer);
    copyNode(right, child + 1, drawn, classes, writer);
    return;
  }
  const shares = distribution?.getRow(0) ?? [];
  writer.leaf(
    at,
    Array.from({ length: classes }, (_, k) => shares[k] ?? 0),
  );
}
