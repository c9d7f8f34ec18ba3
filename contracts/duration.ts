const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** `5s` → 5000, in ms. The schema of params.yaml has checked the form. */
export function milliseconds(duration: string): number {
  const [, amount = '0', unit = 's'] = /^([\d.]+)(ms|s|m|h)$/.exec(duration) ?? [];
  return Math.round(Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS]);
}
