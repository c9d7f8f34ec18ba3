import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { LineCounter, isMap, isScalar, parseDocument, type Document } from 'yaml';
import { RetrainError } from '../../contracts/errors';
import { type Params } from '../../contracts/params';
import { parseParams } from '../../contracts/parse-params';

export type Overrides = Readonly<Record<string, unknown>>;

/**
 * Reads and checks a params file. `overrides` are merged in, key by key, before the check.
 *
 * @param project Folder that `file` is relative to.
 * @throws RetrainError CONFIG_NOT_FOUND, CONFIG_INVALID with file, line, key, value and expectation.
 */
export async function loadParams(project: string, file: string, overrides: Overrides = {}): Promise<Params> {
  let text: string;
  try {
    text = await readFile(path.resolve(project, file), 'utf8');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not there' : (error as Error).message;
    throw new RetrainError(
      'CONFIG_NOT_FOUND',
      `${file}: ${reason}; run in the project folder, or name the file with --params`,
    );
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0]);
    throw new RetrainError('CONFIG_INVALID', `${file}:${line}:${col}: not valid YAML: ${broken.message}`);
  }
  const raw: unknown = document.toJS();
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `${file}: must hold a mapping such as "model: iris-classifier", got ${text.trim() === '' ? 'nothing' : JSON.stringify(raw)}`,
    );
  }
  return parseParams(merge(raw as Overrides, overrides), file, (at) => lineOf(document, lines, at));
}

/** Line of the deepest key of a path that the document has; overrides are in no line. */
function lineOf(document: Document, lines: LineCounter, at: readonly PropertyKey[]): number | undefined {
  for (let depth = at.length; depth > 0; depth--) {
    const parent = depth === 1 ? document.contents : document.getIn(at.slice(0, depth - 1), true);
    if (!isMap(parent)) continue;
    const key = parent.items.map((item) => item.key).find((k) => isScalar(k) && k.value === at[depth - 1]);
    if (isScalar(key) && key.range != null) return lines.linePos(key.range[0]).line;
  }
  return undefined;
}

/** Mappings are merged, everything else is replaced. */
function merge(base: Overrides, over: Overrides): Overrides {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isMapping(below) && isMapping(value) ? merge(below, value) : value;
  }
  return merged;
}

function isMapping(value: unknown): value is Overrides {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
