const BEYOND = /[\ud800-\uffff]/;

/**
 * Order of Python’s `sorted` on strings: by code point. JavaScript’s own order compares UTF-16 units, which puts
 * U+10000 and above before U+E000.
 */
export function byCodePoint(a: string, b: string): number {
  // Up to U+D7FF both orders are the same, and the engine’s own comparison is the faster one.
  if (!BEYOND.test(a) || !BEYOND.test(b)) return a < b ? -1 : a > b ? 1 : 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates go after all other units, as the code points that they stand for do. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
