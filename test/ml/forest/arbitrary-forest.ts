import * as fc from 'fast-check';
import type { Forest, Tree } from '../../../ml/forest/forest';
import { TreeWriter } from '../../../ml/forest/tree-writer';

/** Numbers that trees stumble over: borders of float32, denormals, both zeros, infinities; and ordinary ones. */
export const float32 = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    2 ** -149,
    -(2 ** -149),
    2 ** -126,
    Math.fround(3.4028234663852886e38),
    Math.fround(-1e38),
    Infinity,
    -Infinity,
  ),
  fc.float({ noNaN: true }),
  fc.integer({ min: -4, max: 4 }),
);

type Shape =
  { at: number; threshold: number; missingLeft: boolean; left: Shape; right: Shape } | { leaf: number[] };

function shape(features: number, leaf: fc.Arbitrary<number[]>): fc.Arbitrary<Shape> {
  const { node } = fc.letrec<{ node: Shape }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.record({ leaf }),
      fc.record({
        at: fc.nat(features - 1),
        threshold: float32,
        missingLeft: fc.boolean(),
        left: tie('node'),
        right: tie('node'),
      }),
    ),
  }));
  return node;
}

function write(node: Shape, at: number, writer: TreeWriter): void {
  if ('leaf' in node) {
    writer.leaf(at, node.leaf);
    return;
  }
  const left = writer.split(at, node.at, node.threshold, node.missingLeft);
  write(node.left, left, writer);
  write(node.right, left + 1, writer);
}

function tree(root: Shape, leafWidth: number, output: number): Tree {
  const writer = new TreeWriter(leafWidth);
  write(root, 0, writer);
  return writer.finish(output);
}

/** Class shares `[K]` that sum to 1. */
const shares = (classes: number): fc.Arbitrary<number[]> =>
  fc
    .array(fc.nat(9), { minLength: classes, maxLength: classes })
    .map((counts) => (counts.every((c) => c === 0) ? counts.map(() => 1) : counts))
    .map((counts) => counts.map((c) => c / counts.reduce((a, b) => a + b, 0)));

const score = fc.double({ min: -3, max: 3, noNaN: true });

/** Forests of every form: averaged shares or means, boosted with sigmoid, softmax or without a link. */
export const forests: fc.Arbitrary<Forest> = fc
  .record({
    features: fc.integer({ min: 1, max: 4 }),
    classes: fc.integer({ min: 2, max: 4 }),
    form: fc.constantFrom('classifier', 'regressor', 'boosted', 'boosted regressor'),
  })
  .chain(({ features, classes, form }): fc.Arbitrary<Forest> => {
    const many = (leaf: fc.Arbitrary<number[]>): fc.Arbitrary<Shape[]> =>
      fc.array(shape(features, leaf), { minLength: 1, maxLength: 12 });
    const common = { kind: 'forest' as const, features };
    switch (form) {
      case 'classifier':
        return many(shares(classes)).map((roots) => ({
          ...common,
          task: 'classification' as const,
          classes,
          outputs: classes,
          leafWidth: classes,
          aggregate: 'average' as const,
          link: 'none' as const,
          baseScore: new Float32Array(classes),
          trees: roots.map((root) => tree(root, classes, 0)),
        }));
      case 'boosted':
        return fc
          .tuple(many(fc.tuple(score)), fc.array(score, { minLength: classes, maxLength: classes }))
          .map(([roots, base]) => {
            const outputs = classes === 2 ? 1 : classes;
            return {
              ...common,
              task: 'classification' as const,
              classes,
              outputs,
              leafWidth: 1,
              aggregate: 'sum' as const,
              link: outputs === 1 ? ('sigmoid' as const) : ('softmax' as const),
              baseScore: Float32Array.from(base.slice(0, outputs)),
              trees: roots.map((root, t) => tree(root, 1, t % outputs)),
            };
          });
      default:
        return fc.tuple(many(fc.tuple(score)), score).map(([roots, base]) => ({
          ...common,
          task: 'regression' as const,
          classes: 0,
          outputs: 1,
          leafWidth: 1,
          aggregate: form === 'regressor' ? ('average' as const) : ('sum' as const),
          link: 'none' as const,
          baseScore: Float32Array.of(form === 'regressor' ? 0 : base),
          trees: roots.map((root) => tree(root, 1, 0)),
        }));
    }
  });

/** Rows for a forest: odd numbers, its own thresholds, their float32 neighbours, and missing values. */
export function rowsFor(forest: Forest): fc.Arbitrary<number[][]> {
  const thresholds = forest.trees.flatMap((t) => [...t.threshold]);
  const near = fc
    .constantFrom(...thresholds)
    .chain((t) => fc.constantFrom(t, Math.fround(t * (1 + 2 ** -23))));
  const value = fc.oneof(float32, near, fc.constant(NaN));
  const row = fc.array(value, { minLength: forest.features, maxLength: forest.features });
  return fc.array(row, { minLength: 1, maxLength: 20 });
}
