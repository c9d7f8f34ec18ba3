import { RetrainError } from '../../contracts/errors';

/** `3` or `v3` → `3`. @throws RetrainError USAGE */
export function bareVersion(text: string): string {
  const number = /^v?([1-9]\d{0,8})$/.exec(text)?.[1];
  if (number !== undefined) return number;
  throw new RetrainError('USAGE', `a version is a number such as 3 or v3, got ${text}`);
}
