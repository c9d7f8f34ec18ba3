import { RetrainError } from './errors';

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
  if (text.length > mostCharacters) {
    throw new RetrainError(
      'STAGE_UNSAFE',
      `${shown} has ${text.length} characters, expected at most ${mostCharacters}; it is not read`,
    );
  }
  requireShallowText(text, shown);
  return JSON.parse(text);
}

function requireShallowText(text: string, shown: string): void {
  let depth = 0;
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
          'STAGE_UNSAFE',
          `${shown} is nested deeper than ${MOST_DEPTH} levels; it is not read`,
        );
      }
    } else if (code === CLOSE_LIST || code === CLOSE_MAPPING) depth--;
  }
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_MAPPING, CLOSE_MAPPING] = [0x5b, 0x5d, 0x7b, 0x7d];
