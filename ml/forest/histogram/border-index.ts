/** Values from which looking places up pays for the table. */
const WORTH_TABLE = 4096;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/**
 * Finds the bins of values, by their borders. The sign, the exponent and the first 7 bits of the mantissa of a value
 * leave few borders to choose from, which are looked up in a table that fills as values come.
 */
export class BorderIndex {
  /** Per upper half of a float32: least answer plus one (0: not known yet), and largest answer. */
  private readonly least: Uint16Array;
  private readonly most: Uint16Array;

  /**
   * @param borders largest value of each bin, increasing; at most 65,535
   * @param values how many will be looked up
   */
  constructor(
    private readonly borders: Float32Array,
    values: number,
  ) {
    const size = values < WORTH_TABLE ? 0 : 0x1_0000;
    this.least = new Uint16Array(size);
    this.most = new Uint16Array(size);
  }

  /** Index of the first border that is not below the value; the value is at most the last border, and not NaN. */
  firstNotBelow(value: number): number {
    const { borders, least, most } = this;
    if (least.length === 0) return search(borders, value, 0, borders.length - 1);
    float[0] = value;
    const half = bits[0]! >>> 16;
    if (least[half] === 0) this.fill(half);
    return search(borders, value, least[half]! - 1, most[half]!);
  }

  /** Notes between which borders the values with these upper bits lie. */
  private fill(half: number): void {
    const { borders, least, most } = this;
    bits[0] = half << 16;
    const one = float[0]!;
    bits[0] = (half << 16) | 0xffff;
    const other = float[0]!;
    const last = borders.length - 1;
    // Of negative numbers, the one with more bits is the smaller; the half of infinity ends in NaN.
    const low = other < one ? other : one;
    const high = other > one ? other : one;
    least[half] = search(borders, low, 0, last) + 1;
    most[half] = search(borders, high, 0, last);
  }
}

/** The first of the borders `low` to `high` that is not below the value; `high` if there is none. */
function search(borders: Float32Array, value: number, low: number, high: number): number {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (borders[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
