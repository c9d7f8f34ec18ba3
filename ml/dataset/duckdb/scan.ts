import { type CellRules, TRUTH } from '../cell';
import { type CsvFormat } from '../csv-format';
import { MAX_LINE_BYTES } from '../csv-guard';
import { type DataFile } from '../data-files';
import { identifier, listOf, literal } from './session';

/** How the cells of files that hold text are read. */
export interface CellScan {
  csv: CsvFormat;
  rules: CellRules;
}

/** DuckDB's types of CSV columns by name. */
export type CsvTypes = Readonly<Record<string, 'DOUBLE' | 'VARCHAR'>>;

/** CSV or JSON whose every column is text, as it stands there; missing values are NULL. */
export const asText = (header: readonly string[]): CsvTypes =>
  Object.fromEntries(header.map((name) => [name, 'VARCHAR']));

/**
 * The files as one table expression, rows in the files' order.
 *
 * @param names Names of the columns in the result, by their places; absent: as in Parquet or JSON files.
 * @param types null: found by looking at all rows; texts that DuckDB would rewrite (truth values, dates in other
 * orders than ISO) stay text.
 */
export function scanOf(
  files: readonly DataFile[],
  cells: CellScan,
  names: readonly string[],
  types: CsvTypes | null,
): string {
  const parts = [];
  for (let start = 0, end = 0; start < files.length; start = end) {
    while (end < files.length && files[end]?.gzip === files[start]?.gzip) end++;
    parts.push(scanAlike(files.slice(start, end), cells, names, types));
  }
  return parts.map((part) => `SELECT * FROM ${part}`).join(' UNION ALL BY NAME ');
}

function scanAlike(
  files: readonly DataFile[],
  { csv, rules }: CellScan,
  names: readonly string[],
  types: CsvTypes | null,
): string {
  const [first] = files;
  const paths = listOf(files.map(({ path }) => literal(path)));
  const plain = first?.format === 'json-lines' || first?.format === 'json' ? 'uncompressed' : 'none';
  const compression = `compression = ${literal(first?.gzip === true ? 'gzip' : plain)}`;
  const columns = names.map((name) => `${identifier(name)}: ${literal(types?.[name] ?? 'VARCHAR')}`);
  switch (first?.format) {
    case 'parquet':
      return `read_parquet(${paths})`;
    case 'json':
    case 'json-lines': {
      const format = first.format === 'json' ? 'array' : 'newline_delimited';
      const which =
        types === null
          ? 'sample_size = -1, union_by_name = true, records = true'
          : `columns = {${columns.join(', ')}}`;
      return `read_json(${paths}, format = ${literal(format)}, maximum_object_size = ${MAX_LINE_BYTES}, ${which}, ${compression})`;
    }
    case 'csv':
    default: {
      const nulls = listOf([...rules.missing].map(literal));
      const common = `${paths}, header = true, delim = ${literal(csv.separator)}, quote = ${literal(csv.quote)}, escape = ${literal(csv.quote)}, decimal_separator = ${literal(csv.decimal)}, max_line_size = ${MAX_LINE_BYTES}, nullstr = ${nulls}, ${compression}`;
      return types === null
        ? `read_csv(${common}, sample_size = -1, names = ${listOf(names.map(literal))}, auto_type_candidates = ['BIGINT', 'DOUBLE', 'DATE', 'TIMESTAMP', 'VARCHAR'], dateformat = '%Y-%m-%d', timestampformat = '%Y-%m-%d %H:%M:%S')`
        : `read_csv(${common}, auto_detect = false, columns = {${columns.join(', ')}})`;
    }
  }
}

/** Stands for a value that is there and is no number; whoever reads it refuses it. */
const BAD = "'Infinity'::DOUBLE";

const NAN = "'NaN'::DOUBLE";

/** A column of DuckDB as float64: missing as NaN, what is no number as infinity. */
export const numberExpression = (column: string): string =>
  `coalesce(TRY_CAST(${column} AS DOUBLE), CASE WHEN ${column} IS NULL THEN ${NAN} ELSE ${BAD} END)`;

/** A column of texts as float64, by the rules of `CellRules.parseNumber`. */
export function textNumberExpression(column: string, { missing, decimal }: CellRules): string {
  const trimmed = `trim(${column})`;
  const number = decimal === '.' ? column : `replace(${column}, ',', '.')`;
  const truth = Object.entries(TRUTH).map(
    ([word, value]) => `WHEN ${trimmed} = ${literal(word)} THEN ${value}`,
  );
  const words = listOf([...missing].map(literal));
  // DuckDB takes 1_000 and nan for numbers; a comma of the decimals leaves no room for a dot.
  const odd = `(contains(${column}, '_') OR isnan(TRY_CAST(${number} AS DOUBLE))${decimal === '.' ? '' : ` OR contains(${column}, '.')`})`;
  const otherwise = `CASE WHEN ${column} IS NULL OR list_contains(${words}, ${trimmed}) THEN ${NAN} ${truth.join(' ')} ELSE ${BAD} END`;
  return `CASE WHEN TRY_CAST(${number} AS DOUBLE) IS NULL OR ${odd} THEN ${otherwise} ELSE TRY_CAST(${number} AS DOUBLE) END`;
}
