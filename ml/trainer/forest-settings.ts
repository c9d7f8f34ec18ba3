import { RetrainError } from '../../contracts/errors';
import type { TrainParams } from '../../contracts/train-params';
import type { ForestSettings } from '../forest/histogram/settings';
import type { TrainingTable } from './trainer';

const FINE_BINS = 24;

/**
 * Resolves params to numbers for this table, with scikit-learn's defaults.
 * @throws RetrainError CONFIG_INVALID when a param does not fit the task or the table
 */
export function forestSettings(table: TrainingTable, params: TrainParams): ForestSettings {
  const classification = 'labels' in table;
  const replace = params.bootstrap ?? params.algorithm === 'random-forest';
  const settings: ForestSettings = {
    trees: params.n_estimators,
    seed: params.seed,
    criterion: criterionFor(classification, params),
    splitter: params.algorithm === 'extra-trees' ? 'random' : 'best',
    maxDepth: params.max_depth ?? 0x7fff_ffff,
    minSamplesSplit: params.min_samples_split ?? 2,
    minSamplesLeaf: params.min_samples_leaf ?? 1,
    maxFeatures: featuresPerSplit(classification, table.features, params),
    draws: drawsFor(table.rows, params),
    replace,
    // Where many bins are left, a cut between two of them is as good as any: what is in one can be split further down.
    // A regression may have all its weight in a few values of one bin.
    refineBins: classification ? FINE_BINS : Infinity,
  };
  if (params.class_weight === undefined) return settings;
  if (!classification)
    throw mismatch('class_weight', params.class_weight, 'weighs classes, and the task is regression');
  return { ...settings, classWeights: balancedWeights(table.labels, table.classes) };
}

function criterionFor(classification: boolean, { criterion }: TrainParams): ForestSettings['criterion'] {
  if (criterion === undefined) return classification ? 'gini' : 'squared_error';
  if ((criterion === 'squared_error') === classification) {
    const fitting = classification ? 'gini or entropy' : 'squared_error';
    throw mismatch('criterion', criterion, `does not fit the task; expected ${fitting}`);
  }
  return criterion;
}

function featuresPerSplit(classification: boolean, features: number, { max_features }: TrainParams): number {
  const rule = max_features ?? (classification ? 'sqrt' : 'all');
  if (rule === 'all') return features;
  if (rule === 'sqrt') return Math.max(1, Math.floor(Math.sqrt(features)));
  if (rule === 'log2') return Math.max(1, Math.floor(Math.log2(features)));
  if (rule < 1) return Math.max(1, Math.floor(rule * features));
  if (Number.isInteger(rule) && rule <= features) return rule;
  throw mismatch(
    'max_features',
    rule,
    `must be a share below 1 or a whole number up to the ${features} features there are`,
  );
}

function drawsFor(rows: number, { max_samples }: TrainParams): number {
  if (max_samples === undefined) return rows;
  if (max_samples <= 1) return Math.max(1, Math.round(max_samples * rows));
  if (Number.isInteger(max_samples) && max_samples <= rows) return max_samples;
  throw mismatch(
    'max_samples',
    max_samples,
    `must be a share up to 1 or a whole number up to the ${rows} rows there are`,
  );
}

/** `[K]` n / (K · rows of the class), as scikit-learn's `balanced`; 0 for a class without rows. */
function balancedWeights(labels: Uint32Array, classes: number): Float64Array {
  const rows = new Float64Array(classes);
  for (const label of labels) rows[label]! += 1;
  return rows.map((count) => (count === 0 ? 0 : labels.length / (classes * count)));
}

function mismatch(key: string, seen: unknown, expected: string): RetrainError {
  return new RetrainError('CONFIG_INVALID', `params.yaml: train.${key} ${expected}, got ${String(seen)}`);
}
