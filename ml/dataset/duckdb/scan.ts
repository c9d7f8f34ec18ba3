import { MAX_LINE_BYTES } from '../csv-guard';
import { type DataFile } from '../data-files';
import { identifier, listOf, literal } from './session';

/** How a missing value may be written in a number column; DuckDB compares them letter by letter. */
const NULLS = [
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

/** Types of CSV columns by name: given, or found by looking at all rows (null). */
export type CsvTypes = Readonly<Record<string, 'DOUBLE' | 'VARCHAR'>> | null;

/** The files as one table expression, rows in the files' order. */
export function scanOf(files: readonly DataFile[], header: readonly string[], types: CsvTypes): string {
  const parts = [];
  for (let start = 0, end = 0; start < files.length; start = end) {
    while (end < files.length && files[end]?.gzip === files[start]?.gzip) end++;
    parts.push(scanAlike(files.slice(start, end), header, types));
  }
  return parts.map((part) => `SELECT * FROM ${part}`).join(' UNION ALL ');
}

function scanAlike(files: readonly DataFile[], header: readonly string[], types: CsvTypes): string {
  const paths = listOf(files.map(({ path }) => literal(path)));
  const plain = files[0]?.format === 'json-lines' ? 'uncompressed' : 'none';
  const compression = `compression = ${literal(files[0]?.gzip === true ? 'gzip' : plain)}`;
  switch (files[0]?.format) {
    case 'parquet':
      return `read_parquet(${paths})`;
    case 'json-lines':
      return `read_json(${paths}, format = 'newline_delimited', sample_size = -1, ${compression})`;
    case 'csv':
    default: {
      const common = `${paths}, header = true, delim = ',', quote = '"', escape = '"', max_line_size = ${MAX_LINE_BYTES}, nullstr = ${listOf(NULLS.map(literal))}, ${compression}`;
      if (types === null) {
        return `read_csv(${common}, sample_size = -1, names = ${listOf(header.map(literal))})`;
      }
      const columns = header.map((name) => `${identifier(name)}: ${literal(types[name] ?? 'VARCHAR')}`);
      return `read_csv(${common}, auto_detect = false, columns = {${columns.join(', ')}})`;
    }
  }
}
