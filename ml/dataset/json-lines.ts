import { RetrainError } from '../../contracts/errors';
import { guardCsvBytes, MAX_LINE_BYTES } from './csv-guard';
import { type DataFile, openDataFile } from './data-files';

/** As much of a file is looked at before anything starts. */
const LOOK_BYTES = 4 << 20;

/**
 * The keys of the first objects of JSON lines or of a JSON array, in the order in which they first occur.
 *
 * @returns `all`: whether these are all objects of the file.
 * @throws RetrainError DATA_INVALID for a file whose first line is not an object.
 */
export async function firstKeys(data: DataFile): Promise<{ names: string[]; all: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let all = true;
  for await (const chunk of guardCsvBytes(openDataFile(data), data.file, { invalidUtf8: false })) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes < LOOK_BYTES) continue;
    all = false;
    break;
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const objects =
    data.format === 'json' ? arrayObjects(text, data.file, all) : lineObjects(text, data.file, all);
  return { names: [...new Set(objects.flatMap((object) => Object.keys(object)))], all };
}

function lineObjects(text: string, file: string, all: boolean): object[] {
  const lines = text.split('\n');
  if (!all) lines.pop();
  const objects = lines.flatMap((line) => (line.trim() === '' ? [] : [objectIn(line)]));
  const [first] = objects;
  if (first === undefined) {
    throw new RetrainError('DATA_INVALID', `${file}:1: is not a JSON object, expected one object a line`);
  }
  // What is wrong with a later line, the stage says that reads it.
  return objects.filter((object) => object !== undefined);
}

function objectIn(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function arrayObjects(text: string, file: string, all: boolean): object[] {
  if (!all) return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((item) => typeof item === 'object' && item !== null)
  ) {
    return value as object[];
  }
  throw new RetrainError('DATA_INVALID', `${file}: is not a JSON array of objects, one a row`);
}

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
    if (rest.length > MAX_LINE_BYTES) return;
  }
  if (rest.length > 0) yield rest.toString('utf8');
}

function problemOf(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return undefined;
    return `is ${Array.isArray(value) ? 'a list' : value === null ? 'null' : `a ${typeof value}`}`;
  } catch (error) {
    return `is not JSON (${mistakeIn(error)})`;
  }
}

/** What V8 says of JSON quotes the text around the mistake: as much as a line of data may hold. */
function mistakeIn(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .replace(/,? ?\.{0,3}".*$/s, '')
    .replace(/\s+/g, ' ')
    .slice(0, 80);
}
