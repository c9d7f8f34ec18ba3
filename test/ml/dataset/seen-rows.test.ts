import fc from 'fast-check';
import { type RowNames } from '../../../ml/dataset/row-names';
import { nameRows } from '../../../ml/dataset/row-names';
import { decodeSeenRows, encodeSeenRows, seenAmong } from '../../../ml/dataset/seen-rows';

const NAMING = { by: 'content' as const, columns: ['age', 'y'] };

const namesOf = (keys: readonly bigint[]): RowNames => ({
  high: Uint32Array.from(keys, (key) => Number(key >> 32n)),
  low: Uint32Array.from(keys, (key) => Number(key & 0xffff_ffffn)),
});

const keysOf = ({ high, low }: RowNames): bigint[] =>
  Array.from(high, (upper, i) => (BigInt(upper) << 32n) | BigInt(low[i] ?? 0));

const key = fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.bigInt({ min: 0n, max: 40n }));

const numbered = (rows: number): RowNames =>
  nameRows(
    [{ kind: 'number', name: 'n', values: Float64Array.from({ length: rows }, (_, row) => row) }],
    rows,
  );

describe('seen rows', () => {
  it('come back as they were, each name once and rising', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 50 }), (keys) => {
        const { names, ...rest } = decodeSeenRows(encodeSeenRows(NAMING, namesOf(keys)));
        const once = [...new Set(keys)].sort((a, b) => (a < b ? -1 : 1));
        expect(rest).toEqual({ ...NAMING, rows: keys.length });
        expect(keysOf(names)).toEqual(once);
      }),
    );
  });

  it('know exactly the rows that were among them', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 30 }), fc.array(key, { maxLength: 30 }), (trained, asked) => {
        const seen = decodeSeenRows(encodeSeenRows(NAMING, namesOf(trained)));
        expect([...seenAmong(namesOf(asked), seen)]).toEqual(
          asked.map((one) => (trained.includes(one) ? 1 : 0)),
        );
      }),
    );
  });

  it.each([
    [1, 8],
    [1000, 8],
    [100_000, 7],
    [1_000_000, 7],
  ])('of %d rows take at most %d bytes each', (rows, width) => {
    const bytes = encodeSeenRows(NAMING, numbered(rows));
    const header = bytes.indexOf('\n') + 1;
    expect(bytes.length - header).toBeLessThanOrEqual(width * rows);
  });

  it('that are cut short, do not rise, or are something else are refused', () => {
    const bytes = encodeSeenRows(NAMING, numbered(10));
    const body = bytes.indexOf('\n') + 1;
    const still = Buffer.from(bytes);
    still.fill(0, body + 16, body + 24);
    const over = Buffer.from(bytes).fill(0xff, body);
    for (const broken of [
      bytes.subarray(0, -1),
      still,
      over,
      Buffer.from('{}\n'),
      Buffer.alloc(0),
      bytes.subarray(1),
    ]) {
      expect(() => decodeSeenRows(broken)).toThrow(/^seen-rows\.bin /);
    }
    const lying = Buffer.from(bytes.toString('latin1').replace('"names":10', '"names":99'), 'latin1');
    expect(() => decodeSeenRows(lying)).toThrow('holds 80 bytes of names, expected 99 names of 8 bytes');
  });
});
