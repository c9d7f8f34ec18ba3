import { type Random } from '../random/random';

/** Which k of n rows are in a sample, in their order; all of them where there are no more. */
export function drawRows(n: number, k: number, random: Random): Uint32Array {
  if (n <= k) return Uint32Array.from({ length: n }, (_, row) => row);
  const reservoir = new Reservoir(k, random);
  const rows = new Uint32Array(k);
  for (let row = 0; row < n; row++) {
    const place = reservoir.place();
    if (place !== null) rows[place] = row;
  }
  return rows.sort();
}

/**
 * A sample of k of a stream whose length nobody knows, each row with the same chance: the first k, then row i in the place of one of them
 * with chance k / i (Vitter, "Random sampling with a reservoir", 1985, algorithm R).
 */
export class Reservoir {
  /** Rows so far. */
  seen = 0;

  constructor(
    readonly size: number,
    private readonly random: Random,
  ) {}

  /** Where the next row of the stream goes; null: it is not kept. */
  place(): number | null {
    this.seen += 1;
    if (this.seen <= this.size) return this.seen - 1;
    const drawn = Math.floor(this.random.float() * this.seen);
    return drawn < this.size ? drawn : null;
  }
}
