const { imul } = Math;

/** A 64-bit number as two halves; typed arrays hold one half of each row. */
export interface Halves {
  /** `[n]` upper 32 bits. */
  high: Uint32Array;
  /** `[n]` lower 32 bits. */
  low: Uint32Array;
}

/**
 * Mixes 64 bits so that every bit of the input reaches every bit of the output; one-to-one, so different numbers
 * stay different. Works in place on two 32-bit halves, as JavaScript multiplies those without a detour. Not for
 * secrets. Multipliers are those of MurmurHash3's and lowbias32's finalisers.
 */
export function mixAll({ high, low }: Halves, seedHigh: number, seedLow: number): void {
  for (let i = 0; i < high.length; i++) {
    let x = imul((low[i] ?? 0) ^ seedLow, 0x85eb_ca6b);
    x ^= x >>> 15;
    let y = imul(((high[i] ?? 0) ^ seedHigh) + x, 0xc2b2_ae35);
    y ^= y >>> 13;
    x = imul(x ^ y, 0x7feb_352d);
    x ^= x >>> 16;
    y = imul(y + x, 0x846c_a68b);
    high[i] = y ^ (y >>> 16);
    low[i] = x;
  }
}

/**
 * 64-bit hash of a text's UTF-16 code units.
 *
 * @returns upper and lower half, each 0 … 2³²-1
 */
export function hashText(text: string): [high: number, low: number] {
  let x = text.length | 0;
  let y = 0x9e37_79b9;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    x = imul(x ^ unit, 0x85eb_ca6b);
    x ^= x >>> 13;
    y = imul(y + unit + x, 0xc2b2_ae35);
    y ^= y >>> 15;
  }
  const halves = { high: Uint32Array.of(y), low: Uint32Array.of(x) };
  mixAll(halves, 0, 0);
  return [halves.high[0] ?? 0, halves.low[0] ?? 0];
}
