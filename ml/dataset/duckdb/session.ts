import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/** Where DuckDB may work. */
export interface SessionOptions {
  /** An empty folder for what does not fit in memory. */
  spillDir: string;
  /** Interrupts the query that runs. */
  signal?: AbortSignal;
}

/**
 * Opens an in-memory DuckDB, lets `use` work with it, and closes it. Rows keep the order of the files, whatever the
 * number of threads; nothing is loaded from the network.
 */
export async function withDuckDb<T>(
  { spillDir, signal }: SessionOptions,
  use: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', {
    temp_directory: spillDir,
    preserve_insertion_order: 'true',
    autoinstall_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const interrupt = (): void => connection.interrupt();
  signal?.addEventListener('abort', interrupt);
  try {
    return await use(connection);
  } finally {
    signal?.removeEventListener('abort', interrupt);
    connection.closeSync();
    instance.closeSync();
  }
}

/** A name as SQL takes it. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text as SQL takes it. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A list as SQL takes it. */
export const listOf = (items: readonly string[]): string => `[${items.join(', ')}]`;
