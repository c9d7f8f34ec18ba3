/** @jest-environment ./test/onnx-environment.cjs */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { Forest } from '../../../ml/forest/forest';
import { classNumbers, predictBatch } from '../../../ml/forest/predict';
import { encodeOnnx, type OnnxNames } from '../../../ml/onnx/encode';
import { forests, rowsFor } from '../forest/arbitrary-forest';
import { rowMajor, tableOf } from '../table';
import { runOnnx } from './runtime';
import { testWith } from '../../tools/needs';

const LABELS = ['zero', 'one, quoted "1"', 'zwölf', '雪'];

function namesFor(forest: Forest): OnnxNames {
  return {
    featureNames: Array.from({ length: forest.features }, (_, f) => `feature ${f}`),
    classLabels: LABELS.slice(0, forest.classes),
    modelName: 'any',
  };
}

const cases = forests.chain((forest) => rowsFor(forest).map((rows) => ({ forest, rows })));

test('onnxruntime predicts what we predict, to 1e-6, for any forest and any row', async () => {
  const property = fc.asyncProperty(cases, async ({ forest, rows }) => {
    const table = tableOf(rows, forest.features);
    const ours = predictBatch(forest, table);
    const outputs = await runOnnx(encodeOnnx(forest, namesFor(forest)), table);
    const theirs = outputs[forest.task === 'classification' ? 'probabilities' : 'prediction'];
    expect(theirs).toHaveLength(ours.length);
    ours.forEach((value, i) => {
      expect(Math.abs(Number(theirs?.[i]) - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)));
    });
  });
  await fc.assert(property, { numRuns: 300 });
});

test('labels are those of the largest probability, the first of equals', async () => {
  const property = fc.asyncProperty(cases, async ({ forest, rows }) => {
    fc.pre(forest.task === 'classification');
    const table = tableOf(rows, forest.features);
    const ours = predictBatch(forest, table);
    const { label } = await runOnnx(encodeOnnx(forest, namesFor(forest)), table);
    classNumbers(ours, forest.classes).forEach((best, i) => {
      const row = ours.subarray(i * forest.classes, (i + 1) * forest.classes);
      const rivals = row.filter((p) => p > (row[best] ?? 0) - 1e-6).length;
      if (rivals === 1) expect(label?.[i]).toBe(LABELS[best]);
    });
  });
  await fc.assert(property, { numRuns: 100 });
});

test('equal models make equal bytes', () => {
  fc.assert(
    fc.property(forests, (forest) => {
      expect(encodeOnnx(forest, namesFor(forest))).toEqual(
        encodeOnnx(structuredClone(forest), namesFor(forest)),
      );
    }),
  );
});

test('names that do not fit the model are refused', () => {
  const [forest] = fc.sample(forests, { numRuns: 1, seed: 1 });
  if (forest === undefined) throw new Error('no sample');
  const names = { ...namesFor(forest), featureNames: [] };
  expect(() => encodeOnnx(forest, names)).toThrow(
    `cannot encode the model: 0 feature names, the model has ${forest.features}`,
  );
});

// A Python with onnx and onnxruntime, as the stack's MLflow environment has them.
const python = process.env['RETRAIN_TEST_PYTHON'];
const testInPython = testWith('python');

testInPython('Python’s checker accepts the models, and its onnxruntime predicts the same', () => {
  const folder = mkdtempSync(join(tmpdir(), 'retrain-onnx-'));
  try {
    const samples = fc.sample(cases, { numRuns: 40, seed: 4 });
    samples.forEach(({ forest, rows }, i) => {
      const table = tableOf(rows, forest.features);
      writeFileSync(join(folder, `${i}.onnx`), encodeOnnx(forest, namesFor(forest)));
      writeFileSync(join(folder, `${i}.f32`), rowMajor(table));
      writeFileSync(join(folder, `${i}.expected.f64`), predictBatch(forest, table));
    });
    const script = join(__dirname, 'check_onnx.py');
    const report = execFileSync(python ?? '', [script, folder, String(samples.length)], { encoding: 'utf8' });
    expect(report.trim()).toBe(`${samples.length} models agree`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
