import * as fc from 'fast-check';
import { BorderIndex } from '../../../../ml/forest/histogram/border-index';
import { float32 } from '../arbitrary-forest';

/** Values that share their upper bits, on both sides of zero, among others. */
const value = fc.oneof(
  float32,
  fc.integer({ min: 0, max: 0xffff }).map((low) => Math.fround(1 + low / 2 ** 23)),
  fc.integer({ min: 0, max: 0xffff }).map((low) => Math.fround(-1 - low / 2 ** 23)),
);

test.each([1, 1_000_000])(
  'the bin of a value is that of the first border not below it (%d values)',
  (values) => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 40 }), fc.array(value), (some, sought) => {
        const borders = Float32Array.from(new Set(some)).sort();
        const index = new BorderIndex(borders, values);
        for (const one of [...sought, ...some]) {
          const expected = borders.findIndex((border) => border >= one);
          if (expected >= 0) expect(index.firstNotBelow(one)).toBe(expected);
        }
      }),
      { numRuns: 200 },
    );
  },
);
