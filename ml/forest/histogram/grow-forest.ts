import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FeatureMatrix } from '../../dataset/matrix';
import { Crew } from '../crew';
import { averagingForest, type Forest } from '../forest';
import { onSharedMemory } from '../shared-memory';
import { binColumn, type BinnedTable, type FeatureBins } from './bins';
import { Grower, type GrownTree } from './grower';
import type { ForestSettings } from './settings';
import { leafWidthOf, sharedTargets, splitFinderFor, type Targets } from './targets';
import { centreOf } from './value-splits';
import type { FromThread, ThreadData, ToThread } from './thread-messages';

/** Where and how a forest is grown; nothing of it changes the forest. */
export interface GrowOptions {
  /** Threads to grow trees in; 0: the calling one. */
  threads?: number;
  /** The compiled thread.ts. Default: the one beside this file. */
  threadEntry?: string;
  /** Called after each tree. */
  onTree?: (done: number, total: number) => void;
  /** Ends the growing, and its threads, at once: `growForest` rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface GrownForest {
  forest: Forest;
  /** `[d]` mean of the trees' impurity importances; sums to 1, or is all 0 when no tree has a split. */
  importances: Float64Array;
}

/** The compiled entry file of a thread. */
export const THREAD_ENTRY = join(__dirname, 'thread.js');

/** Bins a table `[n, d]` and grows a forest on it. The same arguments give the same forest, on any number of threads. */
export async function growForest(
  table: FeatureMatrix,
  targets: Targets,
  settings: ForestSettings,
  options: GrowOptions = {},
): Promise<GrownForest> {
  const threads = options.threads ?? 0;
  const trees =
    threads === 0
      ? await growHere(table, targets, settings, options)
      : await growInThreads(table, targets, settings, threads, options);
  const shape = {
    task: targets.task,
    features: table.features,
    classes: targets.task === 'classification' ? targets.classes : 0,
  };
  return {
    forest: averagingForest(
      shape,
      trees.map(({ tree }) => tree),
      targets.task === 'regression' ? centreOf(targets.values) : 0,
    ),
    importances: meanImportances(trees, table.features),
  };
}

async function growHere(
  table: FeatureMatrix,
  targets: Targets,
  settings: ForestSettings,
  { onTree, signal }: GrowOptions,
): Promise<GrownTree[]> {
  const binned = emptyBins(table);
  for (let f = 0; f < table.features; f++) {
    binned.bins.push(binFeature(table, f, binned.codes));
    await turn(signal);
  }
  const finder = splitFinderFor(targets, binned, settings);
  const grower = new Grower(binned, finder, settings, leafWidthOf(targets));
  const trees: GrownTree[] = [];
  for (let t = 0; t < settings.trees; t++) {
    trees.push(grower.grow(t));
    onTree?.(t + 1, settings.trees);
    await turn(signal);
  }
  return trees;
}

async function growInThreads(
  table: FeatureMatrix,
  targets: Targets,
  settings: ForestSettings,
  threads: number,
  { threadEntry = THREAD_ENTRY, onTree, signal }: GrowOptions,
): Promise<GrownTree[]> {
  signal?.throwIfAborted();
  const { rows, features } = table;
  const { codes } = emptyBins(table);
  const counters = new Int32Array(new SharedArrayBuffer(8));
  const data: ThreadData = {
    table: { rows, features, values: onSharedMemory(table.values) },
    codes,
    targets: sharedTargets(targets),
    settings,
    counters,
  };
  const bins = new Array<FeatureBins | undefined>(features);
  const trees = new Array<GrownTree | undefined>(settings.trees);
  let binned = 0;
  let grown = 0;
  let crew: Crew<ToThread, FromThread> | undefined;
  let onAbort: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      onAbort = () => {
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort);
      const keepBins = (feature: number, made: FeatureBins): void => {
        bins[feature] = made;
        if (++binned === features) crew?.tell({ bins: bins as FeatureBins[] });
      };
      const receive = (message: FromThread): void => {
        if (message.kind === 'bins') keepBins(message.feature, message.bins);
        else {
          trees[message.number] = message.grown;
          grown++;
          onTree?.(grown, settings.trees);
          if (grown === settings.trees) resolve();
        }
      };
      crew = new Crew<ToThread, FromThread>(threadEntry, threads, data, receive, reject);
      // This thread bins too, while the others start.
      const binHere = async (): Promise<void> => {
        for (let f = Atomics.add(counters, 0, 1); f < features; f = Atomics.add(counters, 0, 1)) {
          keepBins(f, binFeature(table, f, codes));
          await turn(signal);
        }
      };
      binHere().catch(reject);
    });
  } finally {
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    await crew?.stop();
  }
  return trees as GrownTree[];
}

function emptyBins({ rows, features, values }: FeatureMatrix): BinnedTable {
  const codes = new Uint8Array(new SharedArrayBuffer(rows * features));
  return { rows, features, codes, bins: [], values };
}

function binFeature({ values, rows }: FeatureMatrix, f: number, codes: Uint8Array): FeatureBins {
  return binColumn(values.subarray(f * rows, (f + 1) * rows), codes.subarray(f * rows, (f + 1) * rows));
}

function meanImportances(trees: readonly GrownTree[], features: number): Float64Array {
  const sums = new Float64Array(features);
  for (const { importances } of trees) importances.forEach((share, f) => (sums[f]! += share));
  const total = sums.reduce((a, b) => a + b, 0);
  return sums.map((sum) => (total > 0 ? sum / total : 0));
}

/** Lets messages in and out, then stops if it was told to. */
async function turn(signal: AbortSignal | undefined): Promise<void> {
  await nextTurn();
  signal?.throwIfAborted();
}
