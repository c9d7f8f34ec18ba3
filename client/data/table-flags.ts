import { RetrainError } from '../../contracts/errors';

/** What commands that read a table are told of how it is written. */
export interface TableFlags {
  separator?: string;
  decimal?: string;
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

/** `--separator` and `--decimal`; empty without them. @throws RetrainError USAGE */
export function csvRulesOf({ separator, decimal }: TableFlags): {
  csv?: { separator?: string; decimal?: '.' | ',' };
} {
  if (separator !== undefined && separator.length !== 1 && separator !== '\\t') {
    throw new RetrainError('USAGE', `--separator ${separator}: expected one character, such as ";" or \\t`);
  }
  if (decimal !== undefined && decimal !== '.' && decimal !== ',') {
    throw new RetrainError('USAGE', `--decimal ${decimal}: expected . or ,`);
  }
  if (decimal === ',' && (separator ?? ',') === ',') {
    throw new RetrainError('USAGE', '--decimal , needs another --separator beside it, such as ";"');
  }
  if (separator === undefined && decimal === undefined) return {};
  return {
    csv: {
      ...(separator === undefined ? {} : { separator: separator === '\\t' ? '\t' : separator }),
      ...(decimal === undefined ? {} : { decimal }),
    },
  };
}
