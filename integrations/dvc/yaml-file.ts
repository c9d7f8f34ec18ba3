import { readFile } from 'node:fs/promises';
import { parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { RetrainError } from '../../contracts/errors';

/**
 * Reads a file of DVC’s; null when it is not there.
 *
 * @throws RetrainError `CONFIG_INVALID` with the line, when it is no YAML or does not fit the schema
 */
export async function readYaml<T>(
  path: string,
  schema: z.ZodType<T>,
): Promise<{ text: string; document: Document.Parsed; value: T } | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  // A warning would quote the file on the terminal, as it is.
  const document = parseDocument(text, { logLevel: 'error' });
  const [problem] = document.errors;
  if (problem) {
    const line = problem.linePos?.[0].line ?? 1;
    throw new RetrainError(
      'CONFIG_INVALID',
      `${path}:${line}: ${problem.message.split('\n')[0]}; correct the file`,
    );
  }
  const parsed = schema.safeParse(valueOf(document, path));
  if (parsed.success) return { text, document, value: parsed.data };
  const [issue] = parsed.error.issues;
  throw new RetrainError(
    'CONFIG_INVALID',
    `${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as DVC writes it'}; correct the file, or let dvc write it again`,
  );
}

/** DVC writes no aliases; of an alias without its anchor, or of many, the parser has no value. */
function valueOf(document: Document.Parsed, path: string): unknown {
  try {
    return (document.toJS({ maxAliasCount: 100 }) as unknown) ?? {};
  } catch (cause) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `${path}: an alias has no value to repeat, or repeats too much; correct the file, or let dvc write it again`,
      { cause },
    );
  }
}
