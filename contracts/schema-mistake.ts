import { type z } from 'zod';

/** What is wrong with a value, in one line: `params.train.seed: Invalid input: expected number (and 2 more mistakes)`. */
export function schemaMistake({ issues }: z.core.$ZodError, what: string): string {
  const [first, ...others] = issues;
  const where = [what, ...(first?.path ?? [])].map(String).join('.');
  const message = (first?.message ?? 'does not fit').replace(/\s+/g, ' ');
  const more =
    others.length === 0 ? '' : ` (and ${others.length} more ${others.length === 1 ? 'mistake' : 'mistakes'})`;
  return `${where}: ${message}${more}`;
}
