import { CsvParams } from '../../contracts/data-params';
import { RetrainError } from '../../contracts/errors';
import { type ReadingRules } from '../../ml/dataset/csv-format';

/** What commands that read a table are told of how it is written. */
export interface TableFlags {
  separator?: string;
  decimal?: string;
  quote?: string;
  encoding?: string;
  /** Comma between them. */
  missing?: string;
}

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

/** How the flags say that a table is written, as `data.csv` and `data.missing` of params.yaml; empty without them. @throws RetrainError USAGE */
export function csvRulesOf(flags: TableFlags): ReadingRules {
  const { separator, decimal, quote, encoding, missing } = flags;
  if (separator !== undefined && separator.length !== 1 && separator !== '\\t') {
    throw new RetrainError('USAGE', `--separator ${separator}: expected one character, such as ";" or \\t`);
  }
  if (decimal === ',' && (separator ?? ',') === ',') {
    throw new RetrainError('USAGE', '--decimal , needs another --separator beside it, such as ";"');
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
