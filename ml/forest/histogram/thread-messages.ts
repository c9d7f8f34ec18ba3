import type { FeatureMatrix } from '../../dataset/matrix';
import type { FeatureBins } from './bins';
import type { GrownTree } from './grower';
import type { ForestSettings } from './settings';
import type { Targets } from './targets';

/** What a thread is started with. */
export interface ThreadData {
  /** `[n, d]`, its values on shared memory. */
  table: FeatureMatrix;
  /** `[n, d]` shared: bin numbers, filled in column by column. */
  codes: Uint8Array;
  targets: Targets;
  settings: ForestSettings;
  /** Shared: the next column to bin, and the next tree to grow. */
  counters: Int32Array;
}

/** All columns are binned: grow trees. */
export interface ToThread {
  bins: FeatureBins[];
}

export type FromThread =
  { kind: 'bins'; feature: number; bins: FeatureBins } | { kind: 'tree'; number: number; grown: GrownTree };
