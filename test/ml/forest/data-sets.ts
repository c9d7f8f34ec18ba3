import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FeatureMatrix, LabelledMatrix, ValuedMatrix } from '../../../ml/dataset/matrix';

const FOLDER = join(__dirname, '../../fixtures/forest');

/** Scores of scikit-learn over 20 seeds. */
export interface Spread {
  least: number;
  mean: number;
  largest: number;
}

export interface ScoredSet {
  rows: number;
  features: number;
  oob: Spread;
}

export interface ScoredClassification extends ScoredSet {
  classes: number;
  models: Record<string, { accuracy: Spread; auc: Spread }>;
  importances: number[];
}

export interface ScoredRegression extends ScoredSet {
  models: Record<string, { r2: Spread }>;
}

/** What test/fixtures/forest/make_fixtures.py wrote. */
export const SCORES = JSON.parse(readFileSync(join(FOLDER, 'scores.json'), 'utf8')) as {
  classification: Record<string, ScoredClassification>;
  regression: Record<string, ScoredRegression>;
};

/** Trains on the rows with i % 3 != 0 and holds out the others, as the script does. */
export function classificationSet(name: string): { train: LabelledMatrix; held: LabelledMatrix } {
  const { rows, features, classes } = SCORES.classification[name] ?? missing(name);
  const labelled = (keep: (i: number) => boolean): LabelledMatrix => {
    const { table, targets } = read(name, rows, features, keep);
    return { ...table, labels: Uint32Array.from(targets), classes };
  };
  return { train: labelled((i) => i % 3 !== 0), held: labelled((i) => i % 3 === 0) };
}

export function regressionSet(name: string): { train: ValuedMatrix; held: ValuedMatrix } {
  const { rows, features } = SCORES.regression[name] ?? missing(name);
  const valued = (keep: (i: number) => boolean): ValuedMatrix => {
    const { table, targets } = read(name, rows, features, keep);
    return { ...table, targets };
  };
  return { train: valued((i) => i % 3 !== 0), held: valued((i) => i % 3 === 0) };
}

function read(
  name: string,
  rows: number,
  features: number,
  keep: (row: number) => boolean,
): { table: FeatureMatrix; targets: Float32Array } {
  const bytes = readFileSync(join(FOLDER, 'data', `${name}.f32`));
  const all = Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
  const kept = Array.from({ length: rows }, (_, i) => i).filter(keep);
  const values = new Float32Array(kept.length * features);
  kept.forEach((row, i) => {
    for (let f = 0; f < features; f++) values[f * kept.length + i] = all[row * features + f] ?? NaN;
  });
  const targets = Float32Array.from(kept, (row) => all[rows * features + row] ?? NaN);
  return { table: { values, rows: kept.length, features }, targets };
}

function missing(name: string): never {
  throw new Error(`no data set ${name} in scores.json`);
}
