/** Numbers of the Parquet format, https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift */

export const MAGIC = 'PAR1';

/** Physical types that we write. */
export const PHYSICAL = { float: 4, double: 5, text: 6 } as const;

export const PLAIN = 0;
export const RLE = 3;
export const UNCOMPRESSED = 0;
export const DATA_PAGE = 0;
export const REQUIRED = 0;
export const OPTIONAL = 1;
export const UTF8 = 0;

/** A column to write or as read; all of a file have one length. */
export type ParquetColumn =
  | { name: string; type: 'float'; values: Float32Array }
  | { name: string; type: 'double'; values: Float64Array }
  /** null: missing. */
  | { name: string; type: 'text'; values: (string | null)[] };
