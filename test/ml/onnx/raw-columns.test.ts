/** @jest-environment ./test/onnx-environment.cjs */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { type InputColumn } from '../../../contracts/stage';
import { TrainParams } from '../../../contracts/train-params';
import { numberClasses } from '../../../ml/dataset/class-labels';
import { prepareMatrix, preparedNames } from '../../../ml/dataset/prepare';
import { type Column, columnOf, textAt } from '../../../ml/dataset/raw-table';
import { predict, type Model } from '../../../ml/model/model';
import { encodeOnnx } from '../../../ml/onnx/encode';
import { firstOf } from '../../../ml/onnx/protobuf-reader';
import { readOnnxInterface, readOnnxInterfaceOf } from '../../../ml/onnx/read-interface';
import { trainerFor } from '../../../ml/trainer/catalog';
import { UNGUARDED } from '../../../ml/scoring/native-section';
import { OnnxSession } from '../../../ml/scoring/onnx-session';
import { penguins } from '../penguins';
import { rawCases } from './arbitrary-raw';
import { testWith } from '../../tools/needs';

const LABELS = ['zero', 'one', 'zwölf', '雪'];

interface Asked {
  model: Model;
  inputs: readonly InputColumn[];
  columns: readonly Column[];
  rows: number;
}

const encoded = ({ model, inputs }: Asked): Uint8Array =>
  encodeOnnx(model, {
    featureNames: preparedNames(inputs),
    inputs,
    classLabels: LABELS.slice(0, model.classes),
    modelName: 'raw',
  });

const expected = ({ model, inputs, columns, rows }: Asked): Float64Array =>
  predict(model, prepareMatrix(columns, rows, inputs));

async function requireAgreement(asked: Asked): Promise<void> {
  const ours = expected(asked);
  const refuse = (): never => {
    throw new Error('the model was asked for prepared rows');
  };
  const table = { rows: asked.rows, columns: asked.columns, matrix: refuse };
  const session = await OnnxSession.open(encoded(asked), UNGUARDED);
  const said = await session.score(table).finally(() => session.close());
  const theirs = said.probabilities ?? said.values ?? new Float64Array();
  expect(theirs).toHaveLength(ours.length);
  ours.forEach((value, i) => {
    expect(Math.abs((theirs[i] ?? NaN) - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)));
  });
}

test('raw rows get what we predict for the prepared ones, for any columns and any forest', async () => {
  const property = fc.asyncProperty(rawCases, ({ forest, ...rest }) =>
    requireAgreement({ model: forest, ...rest }),
  );
  await fc.assert(property, { numRuns: 200 });
});

test('the file says which columns go in and what comes out', () => {
  fc.assert(
    fc.property(rawCases, ({ forest, ...rest }) => {
      const { inputs, outputs } = readOnnxInterface(encoded({ model: forest, ...rest }));
      expect(inputs).toEqual(
        rest.inputs.map(({ name, kind }) => ({
          name,
          element: kind === 'number' ? 'float' : 'string',
          shape: [null, 1],
        })),
      );
      expect(outputs.map(({ name }) => name)).toEqual(
        forest.task === 'classification' ? ['label', 'probabilities'] : ['prediction'],
      );
    }),
    { numRuns: 50 },
  );
});

describe('a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'interface-'));
  const file = join(folder, 'model.onnx');
  afterAll(() => rmSync(folder, { recursive: true }));

  test('says the same as its bytes', () => {
    fc.assert(
      fc.property(rawCases, ({ forest, ...rest }) => {
        const bytes = encoded({ model: forest, ...rest });
        writeFileSync(file, bytes);
        expect(readOnnxInterfaceOf(file)).toEqual(readOnnxInterface(bytes));
      }),
      { numRuns: 50 },
    );
  });

  test('of 1.8 GB says so as well, and its weights are not read', () => {
    const [one] = fc.sample(rawCases, { numRuns: 1, seed: 1 });
    const { forest, ...rest } = one!;
    const bytes = encoded({ model: forest, ...rest });
    const graph = firstOf(bytes, 7)!.bytes;
    const hole = 1.8e9;
    const length = (value: number): number[] =>
      value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...length(Math.floor(value / 0x80))];
    // A node, field 1 of the graph, that is all hole; then the rest of the graph.
    const node = Buffer.from([0x0a, ...length(hole)]);
    const head = Buffer.from([0x3a, ...length(node.length + hole + graph.length), ...node]);
    const fd = openSync(file, 'w');
    writeSync(fd, head);
    writeSync(fd, graph, 0, graph.length, head.length + hole);
    closeSync(fd);
    const before = process.memoryUsage.rss();
    expect(readOnnxInterfaceOf(file)).toEqual(readOnnxInterface(bytes));
    expect(process.memoryUsage.rss() - before).toBeLessThan(50 * 2 ** 20);
  });

  test.each([
    ['of a million empty parts', Buffer.alloc(3 << 20, 0x10)],
    ['that is cut off', Buffer.from([0x3a, 0xff, 0xff, 0x03, 0x0a])],
    ['of text', Buffer.from('a,b\n1,2\n')],
    ['of nothing', Buffer.alloc(0)],
  ])('%s is no model', (_what, bytes) => {
    writeFileSync(file, bytes);
    expect(() => readOnnxInterfaceOf(file)).toThrow('the bytes are no ONNX model');
  });
});

test.each([
  ['nothing', new Uint8Array()],
  ['text', Buffer.from('a,b\n1,2\n')],
  ['half a model', Uint8Array.of(58, 200, 1, 10)],
])('%s is no model', (_, bytes) => {
  expect(() => readOnnxInterface(bytes)).toThrow('the bytes are no ONNX model');
});

async function trained(algorithm: string, engine: 'histogram' | 'ml-random-forest'): Promise<Asked> {
  const { table, inputs } = await penguins();
  const matrix = prepareMatrix(table.columns, table.rows, inputs);
  const lags = ['Flipper Length (mm)', 'Beak Length (mm)', 'Beak Depth (mm)'];
  const options = algorithm === 'moving-average' ? { lags, window: 2 } : {};
  const params = TrainParams.parse({ algorithm, engine, n_estimators: 10, ...options });
  const target = columnOf(table, 'Species');
  if (target.kind !== 'text') throw new Error('classes were expected');
  const { classes, numbers } = numberClasses(target, 'penguins');
  const weights = matrix.values.slice(0, matrix.rows);
  const rows =
    algorithm === 'mean' || algorithm === 'moving-average'
      ? { ...matrix, names: preparedNames(inputs), targets: weights }
      : { ...matrix, labels: numbers, classes: classes.length };
  const { model } = await trainerFor(params.algorithm, engine).train(rows, params);
  return { model, inputs, columns: table.columns, rows: table.rows };
}

const TRAINERS = [
  ['random-forest', 'histogram'],
  ['random-forest', 'ml-random-forest'],
  ['extra-trees', 'histogram'],
  ['gradient-boosting', 'histogram'],
  ['logistic-regression', 'histogram'],
  ['majority', 'histogram'],
  ['mean', 'histogram'],
  ['moving-average', 'histogram'],
] as const;

test.each(TRAINERS)('%s by %s takes raw penguins', async (algorithm, engine) => {
  await requireAgreement(await trained(algorithm, engine));
});

// A Python with onnx and onnxruntime, as the stack's MLflow environment has them.
const python = process.env['RETRAIN_TEST_PYTHON'];
const testInPython = testWith('python');

testInPython(
  'Python’s checker accepts the models, and its onnxruntime says the same of raw rows',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'retrain-raw-'));
    try {
      const asked: Asked[] = fc
        .sample(rawCases, { numRuns: 40, seed: 4 })
        .map(({ forest, ...rest }) => ({ model: forest, ...rest }));
      for (const [algorithm, engine] of TRAINERS) asked.push(await trained(algorithm, engine));
      asked.forEach((one, i) => {
        writeFileSync(join(folder, `${i}.onnx`), encoded(one));
        writeFileSync(join(folder, `${i}.expected.f64`), expected(one));
        const columns = one.inputs.map(({ name }) => {
          const column = one.columns.find((each) => each.name === name);
          return { name, kind: column?.kind, values: column === undefined ? [] : cells(column) };
        });
        writeFileSync(join(folder, `${i}.json`), JSON.stringify(columns));
      });
      const script = join(__dirname, 'check_raw.py');
      const report = execFileSync(python ?? '', [script, folder, String(asked.length)], { encoding: 'utf8' });
      expect(report.trim()).toBe(`${asked.length} models agree`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

/** As JSON has them: null where missing, infinities as texts. */
function cells(column: Column): (number | string | null)[] {
  if (column.kind === 'text') return Array.from(column.codes, (_, row) => textAt(column, row) ?? null);
  return Array.from(column.values, (x) => (Number.isNaN(x) ? null : Number.isFinite(x) ? x : String(x)));
}
