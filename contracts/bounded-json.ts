import { type ErrorCode, RetrainError } from './errors';

/** A JSON file that a stage leaves, or a registry holds: figures and names of some thousand columns. */
export const MOST_JSON_BYTES = 8 << 20;

/** Levels of lists and mappings in it. */
const MOST_DEPTH = 64;

/**
 * `JSON.parse` for what a stranger wrote: nothing that is larger or nested deeper than such a file can be is given to the parser,
 * which would take a hundred times its size for nothing but brackets.
 *
 * @param shown how messages name it: `training.json`
 * @throws RetrainError STAGE_UNSAFE; SyntaxError for what is no JSON
 */
export function parseBounded(text: string, shown: string, mostCharacters = MOST_JSON_BYTES): unknown {
  return parseWithin(text, shown, { characters: mostCharacters, containers: Infinity, code: 'STAGE_UNSAFE' });
}

/** How large what is parsed may be. */
export interface JsonBounds {
  characters: number;
  /** Lists and mappings in it: an empty one takes two characters, and some fifty bytes once it is parsed. */
  containers: number;
  /** Of the error for what is larger. */
  code: ErrorCode;
}

/** As `parseBounded`, within other bounds. @throws RetrainError; SyntaxError */
export function parseWithin(text: string, shown: string, bounds: JsonBounds): unknown {
  if (text.length > bounds.characters) {
    throw new RetrainError(
      bounds.code,
      `${shown} has ${text.length} characters, expected at most ${bounds.characters}; it is not read`,
    );
  }
  requirePlausible(text, shown, bounds);
  return JSON.parse(text);
}

function requirePlausible(text: string, shown: string, { containers, code: errorCode }: JsonBounds): void {
  let depth = 0;
  let opened = 0;
  let inText = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inText) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) inText = false;
    } else if (code === QUOTE) inText = true;
    else if (code === OPEN_LIST || code === OPEN_MAPPING) {
      if (++depth > MOST_DEPTH) {
        throw new RetrainError(
          errorCode,
          `${shown} is nested deeper than ${MOST_DEPTH} levels; it is not read`,
        );
      }
      if (++opened > containers) {
        throw new RetrainError(
          errorCode,
          `${shown} has more than ${containers} lists and mappings; it is not read`,
        );
      }
    } else if (code === CLOSE_LIST || code === CLOSE_MAPPING) depth--;
  }
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_MAPPING, CLOSE_MAPPING] = [0x5b, 0x5d, 0x7b, 0x7d];
