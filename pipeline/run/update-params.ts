import { isDeepStrictEqual } from 'node:util';
import { isMap, parseDocument, stringify, type Document } from 'yaml';
import { type Params } from '../../contracts/params';
import { parseParams } from '../../contracts/parse-params';
import { documentText } from '../../integrations/dvc/yaml-text';

/** A key of params.yaml and what it was changed to; undefined: it was removed. */
export interface ParamChange {
  /** `train.n_estimators` */
  key: string;
  from: unknown;
  to: unknown;
}

/**
 * The text of a params file that says what `wanted` says. Only keys whose meaning differs are written, so comments,
 * order, and what is left to the defaults stay.
 *
 * @param text null: there is no file yet
 * @throws RetrainError CONFIG_INVALID when the file is not valid as it is
 */
export function updateParams(
  text: string | null,
  wanted: Params,
  source: string,
): { text: string; changes: ParamChange[] } {
  const json = JSON.parse(JSON.stringify(wanted)) as Record<string, unknown>;
  if (text === null) return { text: stringify(json), changes: [] };
  // A warning would quote the file on the terminal, as it is.
  const document = parseDocument(text, { logLevel: 'error' });
  const now = JSON.parse(JSON.stringify(parseParams(document.toJS(), source))) as Record<string, unknown>;
  const changes: ParamChange[] = [];
  change(document, [], now, json, changes);
  return { text: changes.length === 0 ? text : documentText(document, text), changes };
}

function change(
  document: Document.Parsed,
  at: readonly string[],
  now: Record<string, unknown>,
  wanted: Record<string, unknown>,
  changes: ParamChange[],
): void {
  for (const key of new Set([...Object.keys(now), ...Object.keys(wanted)])) {
    const [from, to] = [now[key], wanted[key]];
    if (isDeepStrictEqual(from, to)) continue;
    const path = [...at, key];
    if (isMapping(from) && isMapping(to)) {
      change(document, path, from, to, changes);
      continue;
    }
    changes.push({ key: path.join('.'), from, to });
    if (to === undefined) document.deleteIn(path);
    else set(document, path, to);
  }
}

/** Keys on the way that hold nothing become mappings. */
function set(document: Document.Parsed, path: readonly string[], value: unknown): void {
  for (let depth = 1; depth < path.length; depth++) {
    const parent = path.slice(0, depth);
    if (!isMap(document.getIn(parent, true))) document.setIn(parent, document.createNode({}));
  }
  document.setIn(path, typeof value === 'object' ? document.createNode(value) : value);
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
