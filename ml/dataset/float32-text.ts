/**
 * A short decimal that reads back as the same float32: `5.1`, not `5.099999904632568`. Empty for NaN, a missing
 * value. Read it with `Math.fround(Number(text))`.
 */
export function float32Text(value: number): string {
  if (Number.isNaN(value)) return '';
  const rounded = Math.fround(value);
  if (Number.isInteger(rounded) && Math.abs(rounded) <= 0x100_0000) return String(rounded);
  // Six digits always survive the way decimal → float32 → decimal, nine always suffice the other way.
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(rounded.toPrecision(digits));
    if (Math.fround(short) === rounded) return String(short);
  }
  return String(Number(rounded.toPrecision(9)));
}
