/**
 * How a missing value may be written, in every reader: compared letter by letter, without the blanks around a cell.
 * `data.missing` replaces the list, so that `NA` (Namibia) or `none` can be a level or a class.
 */
export const MISSING_WORDS: readonly string[] = [
  '',
  'NA',
  'na',
  'N/A',
  'n/a',
  'NaN',
  'nan',
  'NAN',
  'NULL',
  'null',
  'Null',
  'None',
  'none',
  'NONE',
];
