/** Some rows of a column to write. */
export type OutColumn =
  /** NaN: missing. */
  | { name: string; type: 'double'; values: Float64Array }
  | { name: string; type: 'int64'; values: Float64Array }
  | { name: string; type: 'boolean'; values: Uint8Array }
  | { name: string; type: 'text'; values: readonly (string | null)[] };

/** Writes a table, some rows at a time. */
export interface TableOut {
  write(rows: number, columns: readonly OutColumn[]): Promise<void>;
  /** Puts behind the rows what belongs there. @param about for formats that have a place for it */
  finish(about: Readonly<Record<string, string>>): Promise<void>;
}

/** Where bytes go, one after the other. */
export type Sink = (bytes: Uint8Array) => Promise<void>;
