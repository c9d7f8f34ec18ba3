/** @jest-environment ./test/onnx-environment.cjs */
import { Message } from '../../ml/onnx/protobuf';
import { requireHarmless } from '../../ml/onnx/require-harmless';
import { UNGUARDED } from '../../ml/scoring/native-section';
import { openScorer } from '../../ml/scoring/open-scorer';
import { type ScoringTable } from '../../ml/scoring/scoring-table';
import { type Attack, describeAttacks } from './attack';
import { INT64, model, node, numbers, tensor } from './foreign-onnx';

const table: ScoringTable = {
  rows: 3,
  columns: [],
  matrix: () => ({ values: Float32Array.of(1, 2, 3, 4, 5, 6), rows: 3, features: 2 }),
};

/** Scored as the stage scores a champion. */
const score = (bytes: Uint8Array, foreign?: 'taken' | 'refused') => async (): Promise<unknown> => {
  const scorer = openScorer(bytes, UNGUARDED, foreign);
  try {
    return await scorer.score(table);
  } finally {
    await scorer.close();
  }
};

const attack = (name: string, bytes: Uint8Array, says: RegExp): Attack => ({
  name,
  attempt: score(bytes),
  code: 'MODEL_INVALID',
  says,
});

const sum = node('ReduceSum', ['input', 'axes'], 'prediction');
const HONEST = model([sum], [numbers('axes', [1])]);

const nested = (depth: number): Message =>
  depth === 0
    ? new Message().message(1, node('Identity', ['input'], 'x'))
    : new Message().message(
        1,
        node('If', ['c'], 'x', [new Message().string(1, 'then_branch').message(6, nested(depth - 1))]),
      );

describeAttacks(
  'whoever registers a model brings one',
  [
    attack(
      'that makes 1.6e9 values of a shape (ConstantOfShape)',
      model(
        [node('ConstantOfShape', ['s'], 'big'), sum],
        [numbers('s', [40_000, 40_000]), numbers('axes', [1])],
      ),
      /ConstantOfShape that makes 1\.60e\+9 values, expected at most 67108864; it is not loaded$/,
    ),
    attack(
      'that makes them of a shape in a node (Constant)',
      model([
        node('Constant', [], 's', [
          new Message().string(1, 'value').message(5, numbers('', [2_000_000_000])),
        ]),
        node('ConstantOfShape', ['s'], 'big'),
        sum,
      ]),
      /ConstantOfShape that makes/,
    ),
    attack(
      'that repeats a value (Expand)',
      model([node('Expand', ['input', 's'], 'big'), sum], [numbers('s', [1e6, 1e6])]),
      /Expand that makes/,
    ),
    attack(
      'that repeats its rows (Tile)',
      model([node('Tile', ['input', 's'], 'big'), sum], [numbers('s', [1e5, 1e5])]),
      /Tile that makes/,
    ),
    attack(
      'that counts (Range)',
      model([node('Range', ['a', 's', 'b'], 'big'), sum], [numbers('s', [1e12])]),
      /Range that makes/,
    ),
    attack(
      'that draws (RandomNormal)',
      model([node('RandomNormal', [], 'big', [new Message().string(1, 'shape').ints(8, [1e6, 1e6])]), sum]),
      /RandomNormal that makes/,
    ),
    attack(
      'that never ends (Loop)',
      model([node('Loop', ['m', 'c', 'input'], 'prediction')]),
      /the operator Loop, which may never end/,
    ),
    attack(
      'that hides a loop in a branch',
      model([
        node('If', ['c'], 'x', [
          new Message()
            .string(1, 'then_branch')
            .message(6, new Message().message(1, node('Loop', ['m'], 'x'))),
        ]),
      ]),
      /the operator Loop/,
    ),
    attack(
      'of graphs in graphs',
      model([node('If', ['c'], 'x', [new Message().string(1, 'then_branch').message(6, nested(20))])]),
      /graphs in graphs more than 8 deep/,
    ),
    attack(
      'whose weights are /etc/passwd',
      model(
        [sum],
        [
          tensor('axes', INT64, [1])
            .message(13, new Message().string(1, 'location').string(2, '/etc/passwd'))
            .int(14, 1),
        ],
      ),
      /weights in another file/,
    ),
    attack(
      'of a million operators',
      model(Array.from({ length: 100_001 }, () => node('Identity', ['input'], 'x'))),
      /more than 100000 operators/,
    ),
    attack(
      'with an operator that nobody knows',
      model([node('Evil', ['input'], 'prediction')]),
      /onnxruntime refuses the model/,
    ),
    attack(
      'that gives something else',
      model([node('ReduceSum', ['input', 'axes'], 'else')], [numbers('axes', [1])]),
      /onnxruntime refuses the model|expected one of/,
    ),
    attack('that is text', Buffer.from('not a model'), /no ONNX model/),
    attack('that is cut off', HONEST.subarray(0, HONEST.length - 20), /no ONNX model/),
    attack('that is nothing', new Uint8Array(), /no ONNX model/),
  ],
  () => expect(score(HONEST)()).resolves.toMatchObject({ values: Float64Array.of(5, 7, 9) }),
);

test('a model of others is not loaded at all outside of a bounded process', async () => {
  await expect(score(HONEST, 'refused')()).rejects.toMatchObject({ name: 'ForeignModel' });
});

test('shapes that leave a size open are harmless', () => {
  expect(() =>
    requireHarmless(model([node('Reshape', ['input', 's'], 'prediction')], [numbers('s', [-1, 1])])),
  ).not.toThrow();
});
