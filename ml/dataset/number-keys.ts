import { type Halves } from './mix-64';

/** Which of the two words of a float64 is the lower one on this machine. */
const LOW_WORD = new Uint32Array(Float64Array.of(1).buffer)[0] === 0 ? 0 : 1;

/**
 * `[n]` 64-bit keys that rise as the numbers do; 0 and -0 have the same one. The bits of a float64 rise with its size, so a
 * negative number's are turned over and a positive one's moved above them.
 *
 * @param values `[n]` without NaN.
 */
export function risingKeys(values: Float64Array): Halves {
  const high = new Uint32Array(values.length);
  const low = new Uint32Array(values.length);
  const value = new Float64Array(1);
  const words = new Uint32Array(value.buffer);
  for (let i = 0; i < values.length; i++) {
    value[0] = values[i]! + 0;
    const upper = words[1 - LOW_WORD]!;
    const turned = upper >>> 31 === 1 ? 0xffff_ffff : 0;
    high[i] = upper ^ (turned | 0x8000_0000);
    low[i] = words[LOW_WORD]! ^ turned;
  }
  return { high, low };
}

/** As `risingKeys`, but the greatest number comes first. */
export function fallingKeys(values: Float64Array): Halves {
  const keys = risingKeys(values);
  for (let i = 0; i < values.length; i++) {
    keys.high[i] = ~keys.high[i]!;
    keys.low[i] = ~keys.low[i]!;
  }
  return keys;
}
