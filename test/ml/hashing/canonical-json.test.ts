import fc from 'fast-check';
import { canonicalJson, type Json } from '../../../ml/hashing/canonical-json';

describe('canonical JSON', () => {
  test('matches the example of RFC 8785, section 3.2.4, for keys and literals', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '1': 'One',
      '\u0080': 'Control',
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"\\r":"Carriage Return","1":"One","literals":[null,true,false],"\u0080":"Control","€":"Euro Sign"}',
    );
  });

  test('does not depend on the order in which keys were set', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const backwards = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(backwards as Json)).toBe(canonicalJson(value as Json));
      }),
    );
  });

  test('loses nothing that JSON can say', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value as Json))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('refuses numbers that JSON cannot say', () => {
    expect(() => canonicalJson({ a: NaN })).toThrow('NaN has no JSON form');
  });
});
