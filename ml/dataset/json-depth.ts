import { RetrainError } from '../../contracts/errors';
import { type DataFile, openDataFile } from './data-files';

/** Lists and objects in one another. What is deeper is no table, and ends the process of DuckDB, which descends into all of it. */
const MOST_LEVELS = 64;

const [LF, QUOTE, BACKSLASH] = [0x0a, 0x22, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Looks through JSON lines or a JSON array, byte by byte, before DuckDB reads them. Other formats pass.
 *
 * @throws RetrainError DATA_INVALID with the line
 */
export async function requireShallowJson(data: DataFile, signal?: AbortSignal): Promise<void> {
  if (data.format !== 'json-lines' && data.format !== 'json') return;
  let [line, level, inText, escaped] = [1, 0, false, false];
  for await (const chunk of openDataFile(data)) {
    signal?.throwIfAborted();
    for (const byte of chunk) {
      if (byte === LF) {
        line++;
        // No text goes beyond its line: one that does is broken, and hides nothing of the next one.
        inText = escaped = false;
      } else if (escaped) escaped = false;
      else if (inText) {
        if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inText = false;
      } else if (byte === QUOTE) inText = true;
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
        if (++level > MOST_LEVELS) throw tooDeep(data.file, line);
      } else if ((byte === CLOSE_LIST || byte === CLOSE_OBJECT) && level > 0) level--;
    }
  }
}

function tooDeep(file: string, line: number): RetrainError {
  return new RetrainError(
    'DATA_INVALID',
    `${file}:${line}: lists or objects are more than ${MOST_LEVELS} levels deep in one another, or not closed; expected one flat object a row`,
  );
}
