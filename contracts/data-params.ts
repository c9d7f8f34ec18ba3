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

/** A schema check: a number written with a comma cannot stand between commas. */
function checkDecimal(
  { csv }: { csv?: CsvParams | undefined },
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string; input: unknown }): void },
): void {
  if (csv?.decimal !== ',' || (csv.separator ?? ',') !== ',') return;
  context.addIssue({
    code: 'custom',
    path: ['csv', 'decimal'],
    message: 'needs another csv.separator beside it, such as ";"',
    input: csv.decimal,
  });
}
