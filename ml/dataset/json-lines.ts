import { RetrainError } from '../../contracts/errors';
import { guardCsvBytes } from './csv-guard';
import { type DataFile, openDataFile } from './data-files';

/**
 * Looks for the first line that is not a JSON object; DuckDB, which reads such files, counts its lines otherwise than an
 * editor.
 *
 * @returns The error to throw, or undefined when every line is an object.
 */
export async function brokenJsonLine(files: readonly DataFile[]): Promise<RetrainError | undefined> {
  for (const data of files) {
    let line = 0;
    for await (const text of linesOf(data)) {
      line++;
      const problem = problemOf(text);
      if (problem !== undefined) {
        return new RetrainError(
          'DATA_INVALID',
          `${data.file}:${line}: ${problem}, expected one JSON object a line`,
        );
      }
    }
  }
  return undefined;
}

async function* linesOf(data: DataFile): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const chunk of guardCsvBytes(openDataFile(data), data.file, { invalidUtf8: false })) {
    const bytes = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
      yield bytes.toString('utf8', start, end);
      start = end + 1;
    }
    rest = bytes.subarray(start);
  }
  if (rest.length > 0) yield rest.toString('utf8');
}

function problemOf(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return undefined;
    return `is ${Array.isArray(value) ? 'a list' : `a ${typeof value}`}`;
  } catch (error) {
    return `is not JSON (${error instanceof Error ? error.message : String(error)})`;
  }
}
