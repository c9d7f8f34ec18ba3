import { type z } from 'zod';
import { type ErrorCode, RetrainError } from '../contracts/errors';
import { schemaMistake } from '../contracts/schema-mistake';

/**
 * What a stage finds in its folder, by its schema.
 *
 * @param what Its name for messages: `params.json`.
 * @throws RetrainError with the code, in one line: the key, and what is wrong with it.
 */
export function parseInput<S extends z.ZodType>(
  schema: S,
  value: unknown,
  what: string,
  code: ErrorCode,
): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new RetrainError(code, schemaMistake(parsed.error, what));
}
