/**
 * A small seeded generator, the same numbers on every machine and in every Node version: xoshiro128** 1.1
 * (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021), its state filled by
 * splitmix32. Integer arithmetic only, so no result depends on floating-point hardware. Not for secrets.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /**
   * @param seed 0 … 2³²-1
   * @param stream Which of 2³² sequences of this seed: one for each tree, each class or each worker, so that
   *   they may be drawn in any order.
   */
  constructor(seed: number, stream = 0) {
    let state = mix32((seed ^ mix32(stream + 0x9e37_79b9)) >>> 0);
    const next = (): number => {
      state = (state + 0x9e37_79b9) >>> 0;
      return mix32(state);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    // An all-zero state would stay zero for ever.
    this.#d = next() | 1;
  }

  /** An integer in 0 … 2³²-1. */
  uint32(): number {
    const scrambled = Math.imul(this.#b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** A number in [0, 1) with 53 random bits. */
  float(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 0x400_0000 + low) / 0x20_0000_0000_0000;
  }

  /** An integer in 0 … bound-1, without bias. `bound` is 1 … 2³². */
  below(bound: number): number {
    const whole = bound >>> 0;
    // 2³² itself.
    if (whole === 0) return this.uint32();
    // 2³² % bound in 32-bit integers, which is many times faster than in floating point.
    const last = 0xffff_ffff - ((-whole >>> 0) % whole);
    let draw = this.uint32();
    while (draw > last) draw = this.uint32();
    return draw % whole;
  }

  /**
   * Draws as many integers below `counts.length` as it is long, and counts each of them: the numbers that `below` would
   * give, with the state in local variables, in a third of the time.
   */
  tally(counts: Float64Array): void {
    const bound = counts.length;
    const last = 0xffff_ffff - ((-bound >>> 0) % bound);
    let [a, b, c, d] = [this.#a, this.#b, this.#c, this.#d];
    for (let drawn = 0; drawn < bound;) {
      const scrambled = Math.imul(b, 5);
      const draw = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
      const shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = (d << 11) | (d >>> 21);
      if (draw > last) continue;
      counts[draw % bound]!++;
      drawn++;
    }
    [this.#a, this.#b, this.#c, this.#d] = [a, b, c, d];
  }

  /** Shuffles in place (Fisher and Yates) and returns the same array. */
  shuffle<T extends Uint32Array | Int32Array | unknown[]>(items: T): T {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const kept = items[last];
      items[last] = items[other];
      items[other] = kept;
    }
    return items;
  }
}

/** The finaliser of MurmurHash3: every input bit reaches every output bit. */
function mix32(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85eb_ca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2_ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
