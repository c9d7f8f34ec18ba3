import { centreOf } from '../../../../ml/forest/histogram/value-splits';
import type { FeatureMatrix } from '../../../../ml/dataset/matrix';
import { averagingForest, type Forest } from '../../../../ml/forest/forest';
import { binTable } from '../../../../ml/forest/histogram/bins';
import { Grower } from '../../../../ml/forest/histogram/grower';
import type { ForestSettings } from '../../../../ml/forest/histogram/settings';
import { leafWidthOf, splitFinderFor, type Targets } from '../../../../ml/forest/histogram/targets';

/** Settings of one tree that tries all features and grows to the end, on rows that the test chooses. */
export function settings(more: Partial<ForestSettings> = {}): ForestSettings {
  return {
    trees: 1,
    seed: 5,
    criterion: 'gini',
    splitter: 'best',
    maxDepth: 1000,
    minSamplesSplit: 2,
    minSamplesLeaf: 1,
    maxFeatures: Infinity,
    draws: 0,
    replace: false,
    refineBins: 24,
    ...more,
  };
}

/** A forest of one tree, grown on row i `times[i]` times (once each by default). */
export function growTree(
  table: FeatureMatrix,
  targets: Targets,
  options: Partial<ForestSettings> = {},
  times: ArrayLike<number> = new Uint8Array(table.rows).fill(1),
): Forest {
  const full = settings(targets.task === 'regression' ? { criterion: 'squared_error', ...options } : options);
  const binned = binTable(table);
  const grower = new Grower(binned, splitFinderFor(targets, binned, full), full, leafWidthOf(targets));
  const { tree } = grower.growFrom(Uint8Array.from(times));
  const classes = targets.task === 'classification' ? targets.classes : 0;
  const base = targets.task === 'regression' ? centreOf(targets.values) : 0;
  return averagingForest({ task: targets.task, features: table.features, classes }, [tree], base);
}
