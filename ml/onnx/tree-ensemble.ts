import { countNodes, type Forest } from '../forest/forest';
import { floatsAttribute, intAttribute, intsAttribute, stringAttribute, stringsAttribute } from './attribute';
import { ML_DOMAIN, type Graph } from './graph';
import type { Message } from './protobuf';

/**
 * Adds the forest as one TreeEnsembleRegressor: `[N, d]` float in, raw scores `[N, outputs]` out.
 *
 * Also for classifiers, and not TreeEnsembleClassifier: that one has no AVERAGE, so leaves would have to hold shares
 * already divided by the number of trees, whose float32 sum is off by more (1.000001); and what it makes of two
 * classes differs between runtimes. Operator: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html
 */
export function addTreeEnsemble(graph: Graph, forest: Forest, input: string, output: string): string {
  const attributes = [
    intAttribute('n_targets', forest.outputs),
    stringAttribute('aggregate_function', forest.aggregate === 'average' ? 'AVERAGE' : 'SUM'),
    stringAttribute('post_transform', 'NONE'),
    ...nodeAttributes(forest),
    ...leafAttributes(forest),
  ];
  if (forest.baseScore.every((score) => score === 0)) {
    return graph.node('TreeEnsembleRegressor', [input], output, attributes, ML_DOMAIN);
  }
  // Not the attribute base_values: onnxruntime leaves it out where no tree adds to an output.
  const sums = graph.node('TreeEnsembleRegressor', [input], 'tree_scores', attributes, ML_DOMAIN);
  const base = graph.floatConstant('base_score', [forest.outputs], forest.baseScore);
  return graph.node('Add', [sums, base], output);
}

/** The attributes of ONNX's flat node table: one entry per node, trees one after the other, node ids per tree. */
function nodeAttributes(forest: Forest): Message[] {
  const count = countNodes(forest);
  const column = (value: (tree: Forest['trees'][number], node: number, t: number) => number): Int32Array => {
    const values = new Int32Array(count);
    let at = 0;
    forest.trees.forEach((tree, t) => {
      for (let node = 0; node < tree.feature.length; node++) values[at++] = value(tree, node, t);
    });
    return values;
  };
  const splits = column((tree, node) => ((tree.feature[node] ?? -1) >= 0 ? 1 : 0));
  const left = column((tree, node) => ((tree.feature[node] ?? -1) >= 0 ? (tree.child[node] ?? 0) : 0));
  const thresholds = new Float32Array(count);
  let at = 0;
  for (const tree of forest.trees) {
    thresholds.set(tree.threshold, at);
    at += tree.threshold.length;
  }
  return [
    intsAttribute(
      'nodes_treeids',
      column((_tree, _node, t) => t),
    ),
    intsAttribute(
      'nodes_nodeids',
      column((_tree, node) => node),
    ),
    intsAttribute(
      'nodes_featureids',
      column((tree, node) => Math.max(0, tree.feature[node] ?? 0)),
    ),
    stringsAttribute('nodes_modes', count, (i) => (splits[i] === 1 ? 'BRANCH_LEQ' : 'LEAF')),
    floatsAttribute('nodes_values', thresholds),
    intsAttribute('nodes_truenodeids', left),
    intsAttribute(
      'nodes_falsenodeids',
      left.map((child) => (child === 0 ? 0 : child + 1)),
    ),
    intsAttribute(
      'nodes_missing_value_tracks_true',
      column((tree, node) => tree.missingLeft[node] ?? 0),
    ),
  ];
}

/** One entry per leaf and non-zero value; a leaf of zeros keeps its last, as a leaf must have a weight. */
function leafAttributes(forest: Forest): Message[] {
  let count = 0;
  forEachWeight(forest, () => count++);
  const treeIds = new Int32Array(count);
  const nodeIds = new Int32Array(count);
  const targets = new Int32Array(count);
  const weights = new Float32Array(count);
  let at = 0;
  forEachWeight(forest, (tree, node, target, weight) => {
    treeIds[at] = tree;
    nodeIds[at] = node;
    targets[at] = target;
    weights[at++] = weight;
  });
  return [
    intsAttribute('target_treeids', treeIds),
    intsAttribute('target_nodeids', nodeIds),
    intsAttribute('target_ids', targets),
    floatsAttribute('target_weights', weights),
  ];
}

function forEachWeight(
  forest: Forest,
  visit: (tree: number, node: number, target: number, weight: number) => void,
): void {
  const last = forest.leafWidth - 1;
  forest.trees.forEach((tree, t) => {
    for (let node = 0; node < tree.feature.length; node++) {
      if ((tree.feature[node] ?? -1) >= 0) continue;
      const row = (tree.child[node] ?? 0) * forest.leafWidth;
      let empty = true;
      for (let k = 0; k <= last; k++) {
        const weight = tree.values[row + k] ?? 0;
        if (weight === 0 && !(empty && k === last)) continue;
        visit(t, node, tree.output + k, weight);
        empty = false;
      }
    }
  });
}
