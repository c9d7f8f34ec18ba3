import * as fc from 'fast-check';
import type { FeatureMatrix } from '../../../../ml/dataset/matrix';
import type { Targets } from '../../../../ml/forest/histogram/targets';
import { predictBatch } from '../../../../ml/forest/predict';
import { tableOf } from '../../table';
import { growTree } from './grow';

interface Sample {
  rows: number[][];
  labels: number[];
  classes: number;
  times: number[];
}

/** Values with ties, missing ones and a wide range; scaling by 2 keeps all of them exact. */
const value = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: -1000, max: 1000 }).map((i) => i / 8),
  fc.constant(NaN),
);

const samples: fc.Arbitrary<Sample> = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 2, max: 4 }))
  .chain(([n, d, classes]) =>
    fc.record({
      rows: fc.array(fc.array(value, { minLength: d, maxLength: d }), { minLength: n, maxLength: n }),
      labels: fc.array(fc.nat(classes - 1), { minLength: n, maxLength: n }),
      classes: fc.constant(classes),
      times: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: n, maxLength: n }),
    }),
  );

const table = (rows: number[][]): FeatureMatrix => tableOf(rows, rows[0]?.length ?? 0);
const classesOf = ({ labels, classes }: Sample): Targets => ({
  task: 'classification',
  labels: Uint32Array.from(labels),
  classes,
});
const numbersOf = ({ labels }: Sample): Targets => ({
  task: 'regression',
  values: Float32Array.from(labels),
});

const probes = tableOf(
  [-2, -0.5, 0, 0.25, 1, 2.5, 100, NaN].map((v, i) => [v, i - 3, NaN, 3 - i]),
  4,
);
const probesFor = (d: number): FeatureMatrix => ({
  values: probes.values.slice(0, 8 * d),
  rows: 8,
  features: d,
});

function expectClose(a: Float64Array, b: Float64Array): void {
  expect(a).toHaveLength(b.length);
  a.forEach((p, i) => {
    expect(Math.abs(p - (b[i] ?? NaN))).toBeLessThan(1e-6);
  });
}

/**
 * Squared error, over all draws, of a regression tree with one split: the least there is, so that it is the same
 * whichever of equally good splits rounding prefers.
 */
function stumpError(sample: Sample): number {
  const trained = table(sample.rows);
  const predicted = predictBatch(
    growTree(trained, numbersOf(sample), { maxDepth: 1 }, sample.times),
    trained,
  );
  return sample.labels.reduce(
    (sum, label, i) => sum + (sample.times[i] ?? 0) * (label - (predicted[i] ?? NaN)) ** 2,
    0,
  );
}

const law = (check: (sample: Sample) => void): void =>
  fc.assert(fc.property(samples, check), { numRuns: 300 });

test('the order of the rows does not matter, their draws fixed', () => {
  law((sample) => {
    const order = sample.rows.map((_, i) => i).reverse();
    const reversed: Sample = {
      ...sample,
      rows: order.map((i) => sample.rows[i] ?? []),
      labels: order.map((i) => sample.labels[i] ?? 0),
      times: order.map((i) => sample.times[i] ?? 0),
    };
    const one = growTree(table(sample.rows), classesOf(sample), {}, sample.times);
    const other = growTree(table(reversed.rows), classesOf(reversed), {}, reversed.times);
    const at = probesFor(one.features);
    expectClose(predictBatch(one, at), predictBatch(other, at));
    expect(stumpError(reversed)).toBeCloseTo(stumpError(sample), 6);
  });
});

test('a feature scaled by 2 splits the same rows', () => {
  law((sample) => {
    const scaled = sample.rows.map((row) => row.map((v, f) => (f === 0 ? 2 * v : v)));
    for (const targets of [classesOf, numbersOf]) {
      const one = growTree(table(sample.rows), targets(sample), {}, sample.times);
      const other = growTree(table(scaled), targets(sample), {}, sample.times);
      const at = probesFor(one.features);
      const scaledAt = { ...at, values: at.values.map((v, i) => (i < at.rows ? 2 * v : v)) };
      expect(predictBatch(one, at)).toEqual(predictBatch(other, scaledAt));
    }
  });
});

test('a constant feature changes nothing for the rows trained on', () => {
  law((sample) => {
    const wider = table(sample.rows.map((row) => [...row, 7]));
    const narrow = table(sample.rows);
    for (const targets of [classesOf, numbersOf]) {
      const one = growTree(narrow, targets(sample), {}, sample.times);
      const other = growTree(wider, targets(sample), {}, sample.times);
      expectClose(predictBatch(one, narrow), predictBatch(other, wider));
      for (const tree of other.trees) expect([...tree.feature]).not.toContain(wider.features - 1);
    }
  });
});

test('renamed classes get each other’s probabilities', () => {
  law((sample) => {
    const renamed = sample.labels.map((label) => sample.classes - 1 - label);
    const one = growTree(table(sample.rows), classesOf(sample), {}, sample.times);
    const other = growTree(table(sample.rows), classesOf({ ...sample, labels: renamed }), {}, sample.times);
    const at = probesFor(one.features);
    const theirs = predictBatch(other, at);
    const { classes } = sample;
    const swapped = theirs.map((_, i) => theirs[i - (i % classes) + classes - 1 - (i % classes)] ?? NaN);
    expectClose(predictBatch(one, at), swapped);
  });
});

test('a row drawn twice counts as two rows drawn once', () => {
  law((sample) => {
    const twice: Sample = {
      ...sample,
      times: sample.times.flatMap((t) => [t, t]),
      rows: sample.rows.flatMap((r) => [r, r]),
      labels: sample.labels.flatMap((l) => [l, l]),
    };
    const doubled = sample.times.map((t) => 2 * t);
    const one = growTree(table(sample.rows), classesOf(sample), {}, doubled);
    const other = growTree(table(twice.rows), classesOf(twice), {}, twice.times);
    const at = probesFor(one.features);
    expectClose(predictBatch(one, at), predictBatch(other, at));
    expect(stumpError(twice)).toBeCloseTo(2 * stumpError(sample), 6);
  });
});

test('a tree grown to the end knows its rows, if no two contradict each other', () => {
  law((sample) => {
    const keyed = new Map(
      sample.rows.map((row, i) => [row.map((v) => Math.fround(v)).join(), sample.labels[i] ?? 0]),
    );
    const labels = sample.rows.map((row) => keyed.get(row.map((v) => Math.fround(v)).join()) ?? 0);
    const consistent = { ...sample, labels };
    const trained = table(sample.rows);
    const probabilities = predictBatch(growTree(trained, classesOf(consistent)), trained);
    labels.forEach((label, i) => {
      expect(probabilities[i * sample.classes + label]).toBe(1);
    });
    const values = predictBatch(growTree(trained, numbersOf(consistent)), trained);
    labels.forEach((label, i) => {
      expect(values[i]).toBeCloseTo(label, 6);
    });
  });
});

test('each side of a split keeps min_samples_leaf rows', () => {
  law((sample) => {
    for (const targets of [classesOf, numbersOf]) {
      const trained = table(sample.rows);
      const [tree] = growTree(trained, targets(sample), { minSamplesLeaf: 5 }, sample.times).trees;
      if (tree === undefined) throw new Error('no tree');
      const sizes = new Map<number, number>();
      for (const row of sample.rows) {
        let node = 0;
        for (let f = tree.feature[0] ?? -1; f >= 0; f = tree.feature[node] ?? -1) {
          const v = row[f] ?? NaN;
          const left = v <= (tree.threshold[node] ?? 0) || (Number.isNaN(v) && tree.missingLeft[node] === 1);
          node = (tree.child[node] ?? 0) + (left ? 0 : 1);
        }
        sizes.set(node, (sizes.get(node) ?? 0) + 1);
      }
      if (tree.feature.length > 1) for (const size of sizes.values()) expect(size).toBeGreaterThanOrEqual(5);
    }
  });
});
