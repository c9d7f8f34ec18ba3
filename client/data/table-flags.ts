import { type Command } from 'commander';
import { CsvParams } from '../../contracts/data-params';
import { RetrainError } from '../../contracts/errors';
import { type ReadingRules } from '../../ml/dataset/csv-format';

/** What commands that read a table are told of it. */
export interface TableFlags {
  files?: string;
  alias: string[];
  separator?: string;
  decimal?: string;
  quote?: string;
  encoding?: string;
  /** Comma between them. */
  missing?: string;
}

/** The options of a command that reads a table for a model. */
export function tableOptions(command: Command): Command {
  return command
    .option('--files <pattern>', 'which files of a folder; default: all')
    .option('--alias <name=column>', 'the data’s name for a column of the model (repeatable)', collect, [])
    .option(
      '--separator <mark>',
      'between the cells of CSV; default: as in the model’s training, else a comma',
    )
    .option('--decimal <mark>', 'in the numbers of CSV: . or ,; default: as in the training')
    .option('--quote <mark>', 'around the cells of CSV that hold separators; default: as in the training')
    .option(
      '--encoding <name>',
      'of CSV: utf-8, utf-16, latin-1 or windows-1252; default: as in the training',
    )
    .option(
      '--missing <words>',
      'how a missing value is written, as data.missing of params.yaml: ,NA,?; default: as in the training',
    );
}

const collect = (value: string, before: string[]): string[] => [...before, value];

/** `--alias length=sepal_length` as a mapping. @throws RetrainError USAGE */
export function aliasesOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
      throw new RetrainError('USAGE', `--alias ${pair}: expected NAME=COLUMN, such as length=sepal_length`);
    }),
  );
}

/** How the flags say that a table is written, as `data.csv` and `data.missing` of params.yaml; empty without them: see `readingRules`. @throws RetrainError USAGE */
export function csvRulesOf(flags: TableFlags): ReadingRules {
  const { separator, decimal, quote, encoding, missing } = flags;
  if (separator !== undefined && separator.length !== 1 && separator !== '\\t') {
    throw new RetrainError('USAGE', `--separator ${separator}: expected one character, such as ";" or \\t`);
  }
  const given = { separator: separator === '\\t' ? '\t' : separator, decimal, quote, encoding };
  const csv = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const parsed = CsvParams.safeParse(csv);
  if (!parsed.success) {
    const { path: [name = ''] = [], message = '' } = parsed.error.issues[0] ?? {};
    const seen = given[name as keyof typeof given] ?? '';
    throw new RetrainError('USAGE', `--${String(name)} ${seen}: ${message}`);
  }
  return {
    ...(Object.keys(csv).length === 0 ? {} : { csv: parsed.data }),
    ...(missing === undefined ? {} : { missing: missing.split(',') }),
  };
}
