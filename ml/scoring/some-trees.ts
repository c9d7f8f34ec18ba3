import { countNodes, type Forest, type Tree } from '../forest/forest';

/** Nodes of the trees, evenly spread, that are held against onnxruntime: loading more takes it longer than scoring takes us. */
const SAMPLE_NODES = 50_000;

/** All trees of a forest, or some of them, evenly spread, where onnxruntime would be kept busy with loading them. */
export function someTrees(forest: Forest): Tree[] {
  const { trees } = forest;
  const share = SAMPLE_NODES / countNodes(forest);
  if (share >= 1) return trees;
  const count = Math.max(1, Math.floor(share * trees.length));
  return trees.filter(
    (_, t) => Math.floor((t * count) / trees.length) !== Math.floor(((t - 1) * count) / trees.length),
  );
}
