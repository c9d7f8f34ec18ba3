import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/** Where DuckDB may work. */
export interface SessionOptions {
  /** An empty folder for what does not fit in memory. */
  spillDir: string;
  /** Interrupts the query that runs. */
  signal?: AbortSignal;
}

/** What a query needs of its session. */
export interface SessionNeeds {
  /** Whether rows must come in the same order every time although the query does not say which: one thread does it. */
  anyQuery: boolean;
}

/**
 * Opens an in-memory DuckDB, lets `use` work with it, and closes it. Scans and projections keep the order of
 * the files, whatever the number of threads; joins do not. Nothing is loaded from the network.
 */
export async function withDuckDb<T>(
  { spillDir, signal }: SessionOptions,
  { anyQuery }: SessionNeeds,
  use: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', {
    temp_directory: spillDir,
    preserve_insertion_order: 'true',
    autoinstall_known_extensions: 'false',
    ...(anyQuery ? { threads: '1' } : {}),
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
