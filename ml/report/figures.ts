/** A number as people read it: four digits, thousands apart, no exponent where it can be helped. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  const size = Math.abs(value);
  if (size >= 1e6 || (size < 1e-3 && size > 0)) return value.toPrecision(3);
  return size >= 100 ? value.toLocaleString('en-US', { maximumFractionDigits: 1 }) : value.toPrecision(4);
}

/** A metric: four decimals below 10, as accuracy and areas are compared in the last of them. */
export function metricFigure(value: number): string {
  return Math.abs(value) < 10 ? value.toFixed(4) : figure(value);
}

/** `34.5 %` */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
