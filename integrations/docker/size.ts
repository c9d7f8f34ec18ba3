import { RetrainError } from '../../contracts/errors';

const UNIT = { k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 } as const;

/** `2g` → 2147483648. @throws RetrainError CONFIG_INVALID that names `source` */
export function bytes(text: string, source: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([kmgt])$/i.exec(text) ?? [];
  if (amount === undefined || unit === undefined) {
    throw new RetrainError('CONFIG_INVALID', `${source} must be a size such as 512m or 2g, got ${text}`);
  }
  return Math.round(Number(amount) * UNIT[unit.toLowerCase() as keyof typeof UNIT]);
}

/** 2147483648 → `2g`: whole gigabytes, else whole megabytes. */
export function shownSize(size: number): string {
  return size % UNIT.g === 0 ? `${size / UNIT.g}g` : `${Math.floor(size / UNIT.m)}m`;
}
