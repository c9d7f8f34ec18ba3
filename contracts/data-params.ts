import { z } from 'zod';
import { checkPattern, splitPattern } from './file-pattern';

/** How CSV files are written, where that is not with commas, dots, double quotes and UTF-8. */
export const CsvParams = z.strictObject({
  separator: z
    .string()
    .regex(/^[^\n\r"\\]$/, 'must be one character, such as ";" or "\\t"')
    .optional()
    .describe('What stands between cells; else a comma.'),
  decimal: z
    .enum(['.', ','])
    .optional()
    .describe('What stands between the whole and the fraction of a number; else a dot.'),
  quote: z
    .string()
    .regex(/^[^\n\r,;\t\\]$/, "must be one character, such as '")
    .optional()
    .describe('What stands around cells that hold separators; doubled within; else ".'),
  encoding: z
    .enum(['utf-8', 'utf-16', 'latin-1', 'windows-1252'])
    .optional()
    .describe('How its characters are written as bytes; else utf-8.'),
});
export type CsvParams = z.infer<typeof CsvParams>;

/** Most tables that `data.extra` may name: their hashes are in one tag of the run. */
const MOST_EXTRA = 16;
const MOST_PATH_CHARACTERS = 200;

/** Names that mean something else to a query. */
const TAKEN: readonly string[] = ['data', 'selected', 'kept', 'beside'];

const ExtraTables = z
  .record(
    z.string(),
    z
      .string()
      .min(1)
      .max(MOST_PATH_CHARACTERS)
      .regex(/^[^*?]*$/, 'must be a file or a directory, all of whose files are read'),
  )
  .superRefine(checkTableNames);

export const DataParams = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .describe(
        'The data, relative to the folder of params.yaml’s project: CSV (also .gz), Parquet, JSON lines or a JSON array; one file, a directory of files with the same columns, or a pattern such as data/2024-*/*.parquet, which is short for a directory and `files`.',
      ),
    files: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Which files of the directory are read: * and ? stand for any characters of a name, ** for any folders. Default: all but hidden ones. The data hash is that of the whole directory.',
      ),
    target: z.string().min(1).describe('The column to predict.'),
    extra: ExtraTables.optional().describe(
      'More tables that preprocess.sql may join, and preprocess.filter may look into, by the name that they have there: {customers: data/customers.csv}. Files or directories as of `path`, read by the same rules; they are in the data hash.',
    ),
    missing: z
      .array(z.string().max(100))
      .max(100)
      .optional()
      .describe(
        "How a missing value is written, letter by letter: ['', NA]. Default: an empty cell, NA, N/A, NaN, null, None and their usual spellings; what is not listed is a level, a class, or an error in a column of numbers.",
      ),
    csv: CsvParams.optional().describe(
      'How CSV files are written: {separator: ";", decimal: ",", quote: "\'", encoding: latin-1}.',
    ),
  })
  .superRefine(checkPattern)
  .superRefine(checkDecimal)
  .overwrite(splitPattern);
export type DataParams = z.infer<typeof DataParams>;

/** A table or folder of the data, as params.yaml names it. */
export interface DeclaredData {
  /** Name of a table of `data.extra`; undefined: the data itself. */
  table: string | undefined;
  /** As the stage knows it. */
  artifact: string;
  /** The key that names it, for messages. */
  key: string;
  /** Relative to the project. */
  path: string;
}

/** All that params.yaml says is read: the data, then the tables to join, by their names. */
export function declaredData({
  path,
  extra = {},
}: Pick<DataParams, 'path' | 'extra'>): [DeclaredData, ...DeclaredData[]] {
  const tables = Object.entries(extra).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    { table: undefined, artifact: 'data', key: 'data.path', path },
    ...tables.map(([name, file]) => ({
      table: name,
      artifact: extraArtifact(name),
      key: `data.extra.${name}`,
      path: file,
    })),
  ];
}

/** Name of a table of `data.extra` in the stage's in/ folder. */
export const extraArtifact = (name: string): string => `${EXTRA}${name}`;

const EXTRA = 'data.';

/** Whether a stage knows a table of `data.extra` by this name. */
export const isExtraArtifact = (artifact: string): boolean => artifact.startsWith(EXTRA);

interface Issues {
  addIssue(issue: { code: 'custom'; path: string[]; message: string; input: unknown }): void;
}

/** A schema check: SQL does not tell names apart that differ in case only. */
function checkTableNames(extra: Readonly<Record<string, string>>, context: Issues): void {
  const names = Object.keys(extra);
  const issue = (path: string[], message: string, input: unknown): void =>
    context.addIssue({ code: 'custom', path, message, input });
  if (names.length > MOST_EXTRA) issue([], `must name at most ${MOST_EXTRA} tables`, names.length);
  const seen = new Set<string>();
  for (const name of names) {
    const lower = name.toLowerCase();
    if (!/^[a-z][a-z0-9_]{0,62}$/.test(lower)) {
      issue([name], 'must be a table name: a letter, then letters, digits or underscores', name);
    } else if (TAKEN.includes(lower)) issue([name], 'is a name that is taken; choose another', name);
    else if (seen.has(lower)) issue([name], 'is there twice, but for upper and lower case', name);
    seen.add(lower);
  }
}

/** A schema check: what nobody reads would only make runs new. */
export function checkExtraIsRead(
  {
    data,
    preprocess,
  }: {
    data: DataParams;
    preprocess: { sql?: string | undefined; filter?: string | undefined };
  },
  context: Issues,
): void {
  const names = Object.keys(data.extra ?? {});
  if (names.length === 0 || preprocess.sql !== undefined || preprocess.filter !== undefined) return;
  context.addIssue({
    code: 'custom',
    path: ['data', 'extra'],
    message: `is read by preprocess.sql only, which is not there; add one such as "SELECT * FROM data JOIN ${names[0] ?? ''} USING (id) ORDER BY id"`,
    input: names,
  });
}

/** A schema check: a number written with a comma cannot stand between commas. */
function checkDecimal({ csv }: { csv?: CsvParams | undefined }, context: Issues): void {
  if (csv?.decimal !== ',' || (csv.separator ?? ',') !== ',') return;
  context.addIssue({
    code: 'custom',
    path: ['csv', 'decimal'],
    message: 'needs another csv.separator beside it, such as ";"',
    input: csv.decimal,
  });
}
