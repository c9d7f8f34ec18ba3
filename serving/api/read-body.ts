import { isUtf8 } from 'node:buffer';
import { Problem } from './problem';
import { MOST_DEPTH } from './settings';

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_MAPPING, CLOSE_MAPPING] = [0x5b, 0x5d, 0x7b, 0x7d];

/** The text of a body. @throws Problem 400 for bytes that are not UTF-8 */
export function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes))
    throw new Problem(400, 'encoding', 'the body has bytes that are not UTF-8; send it as UTF-8');
  return bytes.toString('utf8');
}

/**
 * A JSON body. A name such as `__proto__` is a name like any other here: `JSON.parse` makes it a property of the object's own, and nobody
 * copies bodies by assignment.
 *
 * @throws Problem 400 for what is no JSON, or nested deeper than a body of rows can be
 */
export function jsonOf(bytes: Buffer): unknown {
  const text = textOf(bytes);
  if (text.length === 0)
    throw new Problem(
      400,
      'json',
      'the body is empty, expected JSON; GET /docs shows what a request looks like',
    );
  requireShallow(bytes);
  try {
    return JSON.parse(text);
  } catch (error) {
    const hint = /\bNaN\b|\bInfinity\b/.test(text)
      ? '; JSON has neither NaN nor Infinity: write null for a missing value'
      : '';
    throw new Problem(400, 'json', `the body is no JSON: ${(error as Error).message.slice(0, 150)}${hint}`);
  }
}

/** Looked at before the parser, which would take a hundred times the size of a body for nothing but brackets. */
function requireShallow(bytes: Buffer): void {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at++) {
    const code = bytes[at];
    if (inText) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) inText = false;
    } else if (code === QUOTE) inText = true;
    else if (code === OPEN_LIST || code === OPEN_MAPPING) {
      if (++depth > MOST_DEPTH) {
        throw new Problem(400, 'nesting', `the body is nested deeper than ${MOST_DEPTH} levels; rows need 4`);
      }
    } else if (code === CLOSE_LIST || code === CLOSE_MAPPING) depth--;
  }
}
