import fc from 'fast-check';
import { prepareMatrix } from '../../../ml/dataset/prepare';
import { type Column } from '../../../ml/dataset/raw-table';
import { preparedWidth, prepareRows } from '../../../serving/model/prepared-rows';
import { rawCases } from '../../ml/onnx/arbitrary-raw';

/** As the reader of requests has them: codes by the model's own list, what it does not know behind it. */
function asRead(column: Column, levels: readonly string[] | null): Column {
  if (column.kind === 'number' || levels === null) return column;
  const codes = column.codes.map((code) => {
    const text = column.levels[code];
    if (text === undefined) return -1;
    const own = levels.indexOf(text);
    return own === -1 ? levels.length + code : own;
  });
  return { ...column, codes, levels: levels as string[] };
}

test('rows of requests, of tables and of the evaluation are prepared to the same bits', () => {
  fc.assert(
    fc.property(rawCases, fc.nat(), fc.nat(), ({ inputs, columns, rows }, a, b) => {
      const expected = prepareMatrix(columns, rows, inputs);
      const width = preparedWidth(inputs);
      expect(width).toBe(expected.features);
      const inOrder = inputs.map(({ name }) => columns.find((column) => column.name === name)!);
      const read = inOrder.map((column, f) => {
        const input = inputs[f]!;
        return asRead(column, input.kind === 'category' ? input.levels : null);
      });
      const [from, to] = [Math.min(a % (rows + 1), b % (rows + 1)), Math.max(a % (rows + 1), b % (rows + 1))];
      for (const batch of [inOrder, read]) {
        const whole = new Float32Array(rows * width).fill(7);
        prepareRows({ rows, columns: batch }, inputs, whole);
        expect([...whole]).toEqual([...expected.values]);
        const some = new Float32Array((to - from) * width).fill(7);
        prepareRows({ rows, columns: batch }, inputs, some, from, to);
        for (let f = 0; f < width; f++) {
          const ours = [...some.subarray(f * (to - from), (f + 1) * (to - from))];
          expect(ours).toEqual([...expected.values.subarray(f * rows + from, f * rows + to)]);
        }
      }
    }),
    { numRuns: 300 },
  );
});
