/** @jest-environment ./test/onnx-environment.cjs */
import * as fc from 'fast-check';
import { preparedNames } from '../../../ml/dataset/prepare';
import { countNodes, type Forest, type Tree } from '../../../ml/forest/forest';
import { predictBatch } from '../../../ml/forest/predict';
import { decodeOnnx } from '../../../ml/onnx/decode';
import { encodeOnnx, type OnnxNames } from '../../../ml/onnx/encode';
import { forests, rowsFor } from '../forest/arbitrary-forest';
import { tableOf } from '../table';
import { rawCases } from './arbitrary-raw';
import { runOnnx } from './runtime';

const LABELS = ['zero', 'one, quoted "1"', 'zwölf', '雪'];

const denseNames = (forest: Forest): OnnxNames => ({
  featureNames: Array.from({ length: forest.features }, (_, f) => `feature ${f}`),
  classLabels: LABELS.slice(0, forest.classes),
  modelName: 'any',
});

test('a dense model is read back as it was written, and predicts the same, bit for bit', () => {
  const cases = forests.chain((forest) => rowsFor(forest).map((rows) => ({ forest, rows })));
  fc.assert(
    fc.property(cases, ({ forest, rows }) => {
      const file = encodeOnnx(forest, denseNames(forest));
      const decoded = decodeOnnx(file);
      // One dense column is what one raw column without any preparation is, too.
      const { inputs, ...names } = decoded?.names ?? {};
      expect(names).toEqual(denseNames(forest));
      expect(inputs === undefined || forest.features === 1).toBe(true);
      expect(encodeOnnx(decoded!.forest, decoded!.names)).toEqual(file);
      const table = tableOf(rows, forest.features);
      expect(predictBatch(decoded!.forest, table)).toEqual(predictBatch(forest, table));
    }),
    { numRuns: 300 },
  );
});

test('a model of raw columns is read back with what is done to them', () => {
  fc.assert(
    fc.property(rawCases, ({ forest, inputs }) => {
      const names = { ...denseNames(forest), featureNames: preparedNames(inputs), inputs };
      const decoded = decodeOnnx(encodeOnnx(forest, names));
      // A one-hot column without levels is the same as an input that nothing looks at, and so it says.
      expect(decoded?.names).toEqual(names);
      expect(countNodes(decoded!.forest)).toBe(countNodes(forest));
    }),
    { numRuns: 300 },
  );
});

/** A forest of one tree of five nodes, for damage. */
function tree(change: (tree: Tree) => Partial<Tree>): Forest {
  const sound: Tree = {
    feature: Int16Array.of(0, -1, 1, -1, -1),
    threshold: Float32Array.of(0.5, 0, 2, 0, 0),
    child: Int32Array.of(1, 0, 3, 1, 0),
    missingLeft: Uint8Array.of(0, 0, 1, 0, 0),
    values: Float32Array.of(1, 0, 0.25, 0.75),
    output: 0,
  };
  const shape = { kind: 'forest', task: 'classification', features: 2, classes: 2, outputs: 2 } as const;
  return {
    ...shape,
    leafWidth: 2,
    aggregate: 'average',
    link: 'none',
    baseScore: new Float32Array(2),
    trees: [{ ...sound, ...change(sound) }],
  };
}

test('the sound tree of the next test is read', () => {
  const forest = tree(() => ({}));
  expect(decodeOnnx(encodeOnnx(forest, denseNames(forest)))).toBeDefined();
});

test.each<[string, (tree: Tree) => Partial<Tree>]>([
  ['a child that is its own parent', () => ({ child: Int32Array.of(0, 0, 3, 1, 0) })],
  ['a way that leads back', () => ({ child: Int32Array.of(1, 0, 1, 1, 0) })],
  [
    'a node with two parents',
    () => ({ feature: Int16Array.of(0, 1, 1, -1, -1), child: Int32Array.of(1, 3, 3, 1, 0) }),
  ],
  ['a child beyond the end', () => ({ child: Int32Array.of(1, 0, 4, 1, 0) })],
  ['a child far beyond the end', () => ({ child: Int32Array.of(1, 0, 0x7fff_fff0, 1, 0) })],
  [
    'a node that nothing leads to',
    () => ({ feature: Int16Array.of(0, -1, -1, -1, -1), child: Int32Array.of(1, 0, 0, 1, 0) }),
  ],
  ['a feature that is not there', () => ({ feature: Int16Array.of(0, -1, 2, -1, -1) })],
  ['a threshold that is no number', () => ({ threshold: Float32Array.of(NaN, 0, 2, 0, 0) })],
  ['an output that is not there', () => ({ output: 1 })],
  ['a leaf that says infinity', () => ({ values: Float32Array.of(Infinity, 0, 0.25, 0.75) })],
  ['a side that is not there', () => ({ missingLeft: Uint8Array.of(2, 0, 1, 0, 0) })],
])('%s is left to onnxruntime', (_, change) => {
  const forest = tree(change);
  expect(decodeOnnx(encodeOnnx(forest, denseNames(forest)))).toBeUndefined();
});

const damaged = fc
  .tuple(rawCases, fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 3 }), fc.nat(9))
  .map(([{ forest, inputs }, changes, cut]) => {
    const names = { ...denseNames(forest), featureNames: preparedNames(inputs), inputs };
    const file = encodeOnnx(forest, names);
    for (const [at, bit] of changes) file[at % file.length]! ^= 1 << bit;
    return cut === 0 ? file.subarray(0, changes[0]![0] % file.length) : file;
  });

test('a damaged file is read in no time, and what is read of it can be asked', () => {
  let read = 0;
  fc.assert(
    fc.property(damaged, (file) => {
      const decoded = decodeOnnx(file);
      if (decoded === undefined) return;
      read++;
      const { forest, names } = decoded;
      const rows = [0, 1, NaN].map((value) => new Array<number>(forest.features).fill(value));
      expect(predictBatch(forest, tableOf(rows, forest.features))).toHaveLength(
        3 * Math.max(1, forest.classes),
      );
      expect(encodeOnnx(forest, names)).toHaveLength(file.length);
    }),
    { numRuns: 1500 },
  );
  // Damage to a threshold or to what a leaf says makes another sound model.
  expect(read).toBeGreaterThan(10);
});

test('what is read of a damaged file predicts as onnxruntime does', async () => {
  const cases = fc
    .tuple(forests, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 2 }))
    .chain(([forest, changes]) => rowsFor(forest).map((rows) => ({ forest, changes, rows })));
  let compared = 0;
  const property = fc.asyncProperty(cases, async ({ forest, changes, rows }) => {
    const file = encodeOnnx(forest, denseNames(forest));
    for (const [at, bit] of changes) file[at % file.length]! ^= 1 << bit;
    const decoded = decodeOnnx(file);
    if (decoded === undefined) return;
    const table = tableOf(rows, forest.features);
    const outputs = await runOnnx(file, table);
    const theirs = outputs[forest.task === 'classification' ? 'probabilities' : 'prediction'];
    const ours = predictBatch(decoded.forest, table);
    expect(theirs).toHaveLength(ours.length);
    ours.forEach((value, i) => {
      const expected = Number(theirs?.[i]);
      const close = Math.abs(expected - value) <= 1e-6 * Math.max(1, Math.abs(value));
      expect(close || Object.is(expected, value)).toBe(true);
    });
    compared++;
  });
  await fc.assert(property, { numRuns: 500 });
  expect(compared).toBeGreaterThan(20);
});

test.each([
  ['no bytes', new Uint8Array()],
  ['a text', new TextEncoder().encode('not a model')],
  ['a number without an end', new Uint8Array(5000).fill(0xff)],
  ['a hundred thousand empty graphs', new Uint8Array(200_000).map((_, i) => (i % 2 === 0 ? 0x3a : 0))],
])('%s is no model of ours', (_, bytes) => {
  expect(decodeOnnx(bytes)).toBeUndefined();
});
