import { CellRules } from './cell';
import { type CsvParams } from '../../contracts/data-params';

/** How the cells of CSV files are told apart, with what params.yaml leaves out filled in. */
export interface CsvFormat {
  separator: string;
  decimal: '.' | ',';
  quote: string;
  encoding: NonNullable<CsvParams['encoding']>;
}

export const PLAIN_CSV: CsvFormat = { separator: ',', decimal: '.', quote: '"', encoding: 'utf-8' };

/** How a table is to be read; absent: as commas, dots and the usual words for a missing value. */
export interface ReadingRules {
  csv?: CsvParams | undefined;
  /** How a missing value is written. */
  missing?: readonly string[] | undefined;
}

export function csvFormat({ csv }: ReadingRules): CsvFormat {
  return {
    separator: csv?.separator ?? PLAIN_CSV.separator,
    decimal: csv?.decimal ?? PLAIN_CSV.decimal,
    quote: csv?.quote ?? PLAIN_CSV.quote,
    encoding: csv?.encoding ?? PLAIN_CSV.encoding,
  };
}

export const cellRules = (rules: ReadingRules): CellRules =>
  new CellRules(rules.missing, csvFormat(rules).decimal);
