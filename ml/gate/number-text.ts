/** Three decimals, or as many as it takes for different numbers to look different. */
export function shownApart(a: number, b: number): [string, string] {
  const digits = digitsApart(a, b);
  return [a.toFixed(digits), b.toFixed(digits)];
}

/** How many decimals that takes. */
export function digitsApart(a: number, b: number): number {
  let digits = 3;
  while (digits < 12 && a !== b && a.toFixed(digits) === b.toFixed(digits)) digits++;
  return digits;
}

/** With its sign: `+0.012`, `−0.001`. */
export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : `${value < 0 ? '−' : '+'}${text}`;
}

/** `29,412` */
export const thousands = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

/** `1 row`, `29,412 rows` */
export const rowsText = (count: number, what = 'row'): string =>
  `${thousands(count)} ${what}${count === 1 ? '' : 's'}`;
