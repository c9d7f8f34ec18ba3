import { onSharedMemory } from '../shared-memory';
import { BinarySplits } from './binary-splits';
import type { BinnedTable } from './bins';
import { ClassSplits } from './class-splits';
import type { ForestSettings } from './settings';
import type { SplitFinder } from './split-finder';
import { ValueSplits } from './value-splits';

/** What is to be predicted: class numbers `[n]` in 0…K-1, or values `[n]`. */
export type Targets =
  | { task: 'classification'; labels: Uint32Array; classes: number }
  | { task: 'regression'; values: Float32Array };

/** The judge of splits for these targets. */
export function splitFinderFor(targets: Targets, binned: BinnedTable, settings: ForestSettings): SplitFinder {
  if (targets.task === 'regression') return new ValueSplits(binned, targets.values, settings);
  if (targets.classes === 2 && settings.criterion === 'gini') {
    return new BinarySplits(binned, targets.labels, settings);
  }
  return new ClassSplits(binned, targets.labels, targets.classes, settings);
}

/** Values per leaf: a share for each class, or one mean. */
export function leafWidthOf(targets: Targets): number {
  return targets.task === 'regression' ? 1 : targets.classes;
}

/** The same targets, where all threads see them. */
export function sharedTargets(targets: Targets): Targets {
  return targets.task === 'classification'
    ? { ...targets, labels: onSharedMemory(targets.labels) }
    : { ...targets, values: onSharedMemory(targets.values) };
}
