const UNITS = ['kB', 'MB', 'GB', 'TB'];

/** `512 B`, `3.4 kB`, `120 MB`: three digits at most before the point, powers of 1000. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  let value = bytes;
  let unit = '';
  for (const next of UNITS) {
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}
