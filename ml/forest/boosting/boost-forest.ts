import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FeatureMatrix } from '../../dataset/matrix';
import { Random } from '../../random/random';
import type { Forest, Tree } from '../forest';
import { binTable } from '../histogram/bins';
import type { Targets } from '../histogram/targets';
import { leafOf } from '../predict';
import { BoostedTreeGrower } from './boosted-tree';
import { BOOST_THREAD_ENTRY, Helpers } from './helpers';
import { lossFor } from './loss';
import { boostMemory } from './memory';
import type { BoostSettings } from './settings';
import { Share } from './share';

/** Where and how trees are boosted; nothing of it changes the forest. */
export interface BoostOptions {
  /** Threads that work, the calling one among them. Default: that one alone. */
  threads?: number;
  /** The compiled thread.ts. Default: the one beside this file. */
  threadEntry?: string;
  /** Called after each round. */
  onRound?: (done: number, total: number) => void;
  /** Ends the boosting between two rounds: it rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Gradient boosting on histograms (Friedman, "Greedy function approximation", 2001; Ke et al., "LightGBM", 2017).
 * The same arguments give the same forest, on any number of threads.
 */
export async function boostForest(
  table: FeatureMatrix,
  targets: Targets,
  settings: BoostSettings,
  { threads = 1, threadEntry = BOOST_THREAD_ENTRY, onRound, signal }: BoostOptions = {},
): Promise<Forest> {
  const n = table.rows;
  const loss = lossFor(targets);
  const { rows, held } = holdOut(n, settings);
  const baseScore = loss.base(rows);
  const trees: Tree[] = [];
  let best = { loss: Infinity, rounds: 0 };
  // They start while the table is binned.
  const helpers = threads > 1 ? new Helpers(threads - 1, threadEntry) : undefined;
  try {
    const memory = boostMemory(binTable(table), rows, loss.outputs, settings);
    const { scores, before } = memory;
    for (let k = 0; k < loss.outputs; k++) scores.fill(baseScore[k]!, k * n, (k + 1) * n);
    if (held.length > 0) best.loss = loss.mean(scores, held);
    const board = helpers?.begin(memory, targets, settings);
    const grower = new BoostedTreeGrower(memory, new Share(memory, loss, settings), settings, board);
    for (let round = 0; round < settings.rounds; round++) {
      // The trees of a round all answer to the scores before it.
      if (before.length > 0) before.set(scores);
      for (let k = 0; k < loss.outputs; k++) {
        const tree = grower.grow(k);
        addScores(tree, table, held, scores.subarray(k * n, (k + 1) * n));
        trees.push(tree);
      }
      onRound?.(round + 1, settings.rounds);
      await nextTurn();
      signal?.throwIfAborted();
      helpers?.check();
      if (held.length === 0) continue;
      const heldLoss = loss.mean(scores, held);
      if (heldLoss < best.loss) best = { loss: heldLoss, rounds: round + 1 };
      else if (round + 1 - best.rounds >= (settings.earlyStopping?.patience ?? Infinity)) break;
    }
  } finally {
    await helpers?.stop();
  }
  return {
    kind: 'forest',
    task: targets.task,
    features: table.features,
    classes: targets.task === 'classification' ? targets.classes : 0,
    outputs: loss.outputs,
    leafWidth: 1,
    aggregate: 'sum',
    link: loss.link,
    baseScore,
    // With rows held out, the rounds after the best one are dropped.
    trees: held.length > 0 ? trees.slice(0, Math.max(1, best.rounds) * loss.outputs) : trees,
  };
}

/** Draws the rows that early stopping watches; the others train. */
function holdOut(n: number, { earlyStopping, seed }: BoostSettings): { rows: Int32Array; held: Int32Array } {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const size = earlyStopping === undefined ? 0 : Math.min(n - 1, Math.round(earlyStopping.fraction * n));
  if (size === 0) return { rows: order, held: new Int32Array(0) };
  new Random(seed).shuffle(order);
  return { rows: order.slice(size).sort(), held: order.slice(0, size).sort() };
}

function addScores(
  tree: Tree,
  { values, rows, features }: FeatureMatrix,
  held: Int32Array,
  scores: Float64Array,
): void {
  const row = new Float32Array(features);
  for (const i of held) {
    for (let f = 0; f < features; f++) row[f] = values[f * rows + i]!;
    scores[i]! += tree.values[leafOf(tree, row, 0)]!;
  }
}
