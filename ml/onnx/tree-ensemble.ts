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
  if (forest.baseScore.some((score) => score !== 0)) {
    attributes.push(floatsAttribute('base_values', forest.baseScore));
  }
  return graph.node('TreeEnsembleRegressor', [input], output, attributes, ML_DOMAIN);
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

/** One entry per leaf and non-zero value; a leaf of zeros keeps one, as a leaf must have a weight. */
function leafAttributes(forest: Forest): Message[] {
  const treeIds: number[] = [];
  const nodeIds: number[] = [];
  const targets: number[] = [];
  const weights: number[] = [];
  forest.trees.forEach((tree, t) => {
    for (let node = 0; node < tree.feature.length; node++) {
      if ((tree.feature[node] ?? -1) >= 0) continue;
      const row = (tree.child[node] ?? 0) * forest.leafWidth;
      const before = weights.length;
      for (let k = 0; k < forest.leafWidth; k++) {
        const weight = tree.values[row + k] ?? 0;
        if (weight === 0 && !(k === forest.leafWidth - 1 && weights.length === before)) continue;
        treeIds.push(t);
        nodeIds.push(node);
        targets.push(tree.output + k);
        weights.push(weight);
      }
    }
  });
  return [
    intsAttribute('target_treeids', treeIds),
    intsAttribute('target_nodeids', nodeIds),
    intsAttribute('target_ids', targets),
    floatsAttribute('target_weights', Float32Array.from(weights)),
  ];
}
