/** @jest-environment ./test/onnx-environment.cjs */
import * as fc from 'fast-check';
import type { InputColumn } from '../../../contracts/stage';
import { prepareMatrix, preparedNames } from '../../../ml/dataset/prepare';
import type { Column } from '../../../ml/dataset/raw-table';
import type { Forest } from '../../../ml/forest/forest';
import { TreeWriter } from '../../../ml/forest/tree-writer';
import { encodeOnnx } from '../../../ml/onnx/encode';
import { UNGUARDED } from '../../../ml/scoring/native-section';
import { OnnxSession } from '../../../ml/scoring/onnx-session';
import { openScorer } from '../../../ml/scoring/open-scorer';
import type { Scored, ScoringTable } from '../../../ml/scoring/scoring-table';
import { rawCases } from '../onnx/arbitrary-raw';

const LABELS = ['zero', 'one', 'zwölf', '雪'];

const encoded = (forest: Forest, inputs: readonly InputColumn[]): Uint8Array =>
  encodeOnnx(forest, {
    featureNames: preparedNames(inputs),
    inputs,
    classLabels: LABELS.slice(0, forest.classes),
    modelName: 'any',
  });

const tableOf = (columns: readonly Column[], rows: number): ScoringTable => ({
  rows,
  columns,
  matrix: () => {
    throw new Error('the model was asked for prepared rows');
  },
});

async function byOnnxruntime(model: Uint8Array, table: ScoringTable): Promise<Scored> {
  const session = await OnnxSession.open(model, UNGUARDED);
  return session.score(table).finally(() => session.close());
}

/** How often native code was called. */
function counted(): { calls: () => number; native: typeof UNGUARDED } {
  let calls = 0;
  return {
    calls: () => calls,
    native: {
      run: (call) => {
        calls++;
        return UNGUARDED.run(call);
      },
    },
  };
}

test('says what onnxruntime says: labels and averages bit for bit, other numbers to 1e-6', async () => {
  const property = fc.asyncProperty(rawCases, async ({ forest, inputs, columns, rows }) => {
    const model = encoded(forest, inputs);
    const table = tableOf(columns, rows);
    const scorer = openScorer(model, UNGUARDED);
    const ours = await scorer.score(table);
    const theirs = await byOnnxruntime(model, table);
    expect(ours.labels).toEqual(theirs.labels);
    for (const kind of ['probabilities', 'values'] as const) {
      if (forest.aggregate === 'average') expect(ours[kind]).toEqual(theirs[kind]);
      else ours[kind]?.forEach((value, i) => expect(value).toBeCloseTo(theirs[kind]?.[i] ?? NaN, 6));
    }
    await scorer.close();
  });
  await fc.assert(property, { numRuns: 300 });
});

/** A stump that goes by `a`, in as many trees as wanted, each of so many splits. */
function deep(trees: number, splits: number): Forest {
  const writer = new TreeWriter(2);
  const grown = Array.from({ length: trees }, (_, t) => {
    let node = 0;
    for (let i = 0; i < splits; i++) {
      const left = writer.split(node, 0, i + t / trees, false);
      writer.leaf(left, [i / splits, 1 - i / splits]);
      node = left + 1;
    }
    writer.leaf(node, [1, 0], 1);
    return writer.finish();
  });
  const shape = { kind: 'forest', task: 'classification', features: 1, classes: 2, outputs: 2 } as const;
  return {
    ...shape,
    leafWidth: 2,
    aggregate: 'average',
    link: 'none',
    baseScore: new Float32Array(2),
    trees: grown,
  };
}

const A: InputColumn = { kind: 'number', name: 'a', min: null, max: null, impute: null };
const numbers = (name: string, rows: number): Column => ({
  kind: 'number',
  name,
  values: Float64Array.from({ length: rows }, (_, i) => (i * 7919) % 2000),
});

test('asks onnxruntime once, about a sample, and not again', async () => {
  const rows = 200;
  const model = encoded(deep(40, 2000), [A]);
  const { calls, native } = counted();
  const scorer = openScorer(model, native);
  const table = tableOf([numbers('a', rows)], rows);
  const said = await scorer.score(table);
  const asked = calls();
  expect(await scorer.score(table)).toEqual(said);
  expect(calls()).toBe(asked);
  expect(said).toEqual(await byOnnxruntime(model, table));
});

test('asks onnxruntime every time about a model that is not one of ours', async () => {
  const forest = deep(2, 3);
  const names = { featureNames: ['a'], inputs: [A], classLabels: ['no', 'yes'], modelName: 'any' };
  // Another producer: equal in all but a byte.
  const model = Buffer.from(encodeOnnx(forest, names));
  const at = model.indexOf('retrain');
  model.write('sklearn', at);
  const { calls, native } = counted();
  const scorer = openScorer(model, native);
  const table = tableOf([numbers('a', 10)], 10);
  const said = await scorer.score(table);
  const asked = calls();
  expect(await scorer.score(table)).toEqual(said);
  expect(calls()).toBeGreaterThan(asked);
  await scorer.close();
});

test('a model of prepared rows gets them', async () => {
  const forest = { ...deep(3, 4), features: 2 };
  const names = { featureNames: ['a', 'b'], classLabels: ['no', 'yes'], modelName: 'any' };
  const columns = [numbers('a', 5), numbers('b', 5)];
  const inputs = columns.map(({ name }): InputColumn => ({ ...A, name }));
  const table = { rows: 5, columns, matrix: () => prepareMatrix(columns, 5, inputs) };
  const said = await openScorer(encodeOnnx(forest, names), UNGUARDED).score(table);
  expect(said).toEqual(await byOnnxruntime(encodeOnnx(forest, names), table));
});

test('says which column is missing, or of another kind, and takes the next table', async () => {
  const b: InputColumn = { kind: 'category', name: 'b', encoding: 'ordinal', levels: ['x'] };
  const scorer = openScorer(encoded({ ...deep(1, 2), features: 2 }, [A, b]), UNGUARDED);
  const texts: Column = { kind: 'text', name: 'b', codes: new Int32Array(3), levels: ['x'] };
  await expect(scorer.score(tableOf([numbers('a', 3)], 3))).rejects.toThrow(
    'it takes columns that the data no longer has: b; expected a',
  );
  await expect(scorer.score(tableOf([numbers('a', 3), numbers('b', 3)], 3))).rejects.toThrow(
    'it takes the column b as texts, and the data has numbers there',
  );
  expect((await scorer.score(tableOf([numbers('a', 3), texts], 3))).labels).toHaveLength(3);
});

test('bytes that are no model are refused', async () => {
  const scorer = openScorer(new TextEncoder().encode('not a model'), UNGUARDED);
  await expect(scorer.score(tableOf([numbers('a', 1)], 1))).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  await scorer.close();
});
