import { open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { LineCounter, isMap, isScalar, parseDocument, type Document } from 'yaml';
import { RetrainError } from '../../contracts/errors';
import { type LineOf } from '../../contracts/parse-params';

/** A params file is a page or two; what is larger is something else. */
const MOST_BYTES = 1 << 20;

/** A mapping nests four deep, and a project shares a dozen values by anchors. */
const MOST_ALIASES = 100;
const MOST_DEPTH = 64;

/** What a params file holds, not yet checked. */
export interface RawParams {
  value: Readonly<Record<string, unknown>>;
  lineOf: LineOf;
}

/**
 * Reads a params file of a project. Keys at the top that begin with `x-` are the user's own, for values that `<<` merges or
 * aliases repeat.
 *
 * Whoever starts a workflow names the file, so nothing of its content is shown unless it parsed, and nothing but YAML files
 * inside the project are opened, wherever links lead.
 *
 * @param project Folder that `file` is relative to.
 * @throws RetrainError CONFIG_NOT_FOUND, CONFIG_INVALID
 */
export async function readParamsFile(project: string, file: string): Promise<RawParams> {
  const text = await textOf(project, file);
  const lines = new LineCounter();
  const refused = (why: string, at?: number): RetrainError => {
    const place = at === undefined ? undefined : lines.linePos(at);
    return new RetrainError(
      'CONFIG_INVALID',
      `${shownPath(file)}${place === undefined ? '' : `:${place.line}:${place.col}`}: ${why}`,
    );
  };
  let document: Document;
  let raw: unknown;
  try {
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      merge: true,
      logLevel: 'error',
    });
    const [broken] = document.errors;
    if (broken !== undefined) {
      // Behind a colon or a quote the parser shows what it met.
      const what = broken.message.split(/[:"'`]/)[0]?.trim() ?? '';
      throw refused(`not valid YAML: ${what}`, broken.pos[0]);
    }
    raw = document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (error) {
    if (error instanceof RetrainError) throw error;
    if (error instanceof RangeError) throw refused('not valid YAML: it is nested too deep');
    throw refused(
      /alias count/i.test(String(error))
        ? `not valid YAML: its aliases repeat more than ${MOST_ALIASES} values`
        : 'not valid YAML: an alias or a merge has no value to repeat',
    );
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    const got =
      text.trim() === ''
        ? 'nothing'
        : raw === null
          ? 'null'
          : Array.isArray(raw)
            ? 'a list'
            : `a ${typeof raw}`;
    throw refused(`must hold a mapping such as "model: iris-classifier", got ${got}`);
  }
  requireShallow(raw, MOST_DEPTH, () => refused('not valid YAML: it is nested too deep'));
  const own = Object.entries(raw).filter(([key]) => !key.startsWith('x-'));
  return { value: Object.fromEntries(own), lineOf: (at) => lineOf(document, lines, at) };
}

/** @throws the error of `refused` when values are nested deeper. */
export function requireShallow(value: unknown, most: number, refused: () => RetrainError): void {
  if (typeof value !== 'object' || value === null) return;
  if (most === 0) throw refused();
  for (const item of Object.values(value)) requireShallow(item, most - 1, refused);
}

async function textOf(project: string, file: string): Promise<string> {
  if (!/\.ya?ml$/i.test(file)) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `${shownPath(file)}: is no params file; expected a path inside the project that ends in .yaml or .yml`,
    );
  }
  const [root, found] = await Promise.all([
    realpath(project),
    realpath(path.resolve(project, file)).catch(reason),
  ]);
  if (typeof found !== 'string') {
    throw new RetrainError(
      'CONFIG_NOT_FOUND',
      `${shownPath(file)}: ${found.code === 'ENOENT' ? 'is not there' : `cannot be opened (${found.code})`}; run in the project folder, or name the file with --params`,
    );
  }
  if (!isBelow(root, found) || !/\.ya?ml$/i.test(found)) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `${shownPath(file)}: leads out of the project, or to what is no YAML file; expected a file inside the project that ends in .yaml or .yml`,
    );
  }
  const handle = await open(found).catch((error: NodeJS.ErrnoException) => {
    throw new RetrainError(
      'CONFIG_NOT_FOUND',
      `${shownPath(file)}: cannot be opened (${error.code ?? 'unknown'})`,
    );
  });
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw new RetrainError('CONFIG_INVALID', `${shownPath(file)}: is no regular file`);
    if (status.size > MOST_BYTES) {
      throw new RetrainError(
        'CONFIG_INVALID',
        `${shownPath(file)}: has ${status.size} bytes, expected at most ${MOST_BYTES}`,
      );
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

const reason = (error: NodeJS.ErrnoException): { code: string } => ({ code: error.code ?? 'unknown' });

/** Whether a path is a folder or below it; both are real paths. */
export function isBelow(folder: string, file: string): boolean {
  const within = path.relative(folder, file);
  return within !== '..' && !within.startsWith(`..${path.sep}`) && !path.isAbsolute(within);
}

/** A path that somebody gave, as it can stand in a message: one line, bounded. */
export const shownPath = (file: string): string => file.replace(/\p{Cc}/gu, '?').slice(0, 200);

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
