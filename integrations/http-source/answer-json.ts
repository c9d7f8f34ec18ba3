import { parseWithin } from '../../contracts/bounded-json';
import { RetrainError } from '../../contracts/errors';

/** A list and a few mappings for each row that there may be, and what is around them. */
const CONTAINERS_PER_ROW = 8;
const CONTAINERS_BESIDE = 1000;

/** Lists and mappings that the JSON of so many rows may have. */
export const mostContainers = (rows: number): number => CONTAINERS_PER_ROW * rows + CONTAINERS_BESIDE;

/**
 * The JSON of an answer. Nothing that is no JSON by its type, or larger or deeper than rows can be, is given to the parser.
 *
 * @param mostRows rows that it may have
 * @param shown how messages name the answer
 * @throws RetrainError SOURCE_INVALID
 */
export function answerJson(body: Buffer, contentType: string, mostRows: number, shown: string): unknown {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== '' && !/^(application|text)\/([\w.-]+\+)?json$/.test(type)) {
    throw new RetrainError(
      'SOURCE_INVALID',
      `${shown} is ${type.slice(0, 60)}, expected application/json; correct the url, or have the source say what it sends`,
    );
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new RetrainError(
      'SOURCE_INVALID',
      `${shown} is not UTF-8, which JSON is in; have the source correct it`,
      { cause },
    );
  }
  try {
    return parseWithin(text, shown, {
      characters: Infinity,
      containers: mostContainers(mostRows),
      code: 'SOURCE_INVALID',
    });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const end =
      /end of JSON|Unterminated/i.test(error.message) || text.trim() === '' ? ': it is cut off' : '';
    throw new RetrainError(
      'SOURCE_INVALID',
      `${shown} is no JSON${end}, in ${text.length} characters that begin with ${JSON.stringify(text.slice(0, 40))}; nothing was written, the next collection asks again`,
    );
  }
}
