import { type DuckDBConnection } from '@duckdb/node-api';

/** Where DuckDB may work, and how much of it may be used. */
export interface SessionOptions {
  /** An empty folder for what does not fit in memory. */
  spillDir: string;
  /** Interrupts the query that runs. */
  signal?: AbortSignal;
  /** Memory for DuckDB itself; absent: 1 GiB. */
  memoryBytes?: number;
}

/** What a query needs of its session. */
export interface SessionNeeds {
  /** Whether rows must come in the same order every time although the query does not say which: one thread does it. */
  anyQuery: boolean;
  /** The files that may be read: no other is, by whatever statement. */
  paths: readonly string[];
}

const DEFAULT_MEMORY_BYTES = 1 << 30;

/** What is spilled may be this many times the memory. */
const SPILL_FACTOR = 8;

const MIB = 1 << 20;

/**
 * Opens an in-memory DuckDB, lets `use` work with it, and closes it. Scans and projections keep the order of
 * the files, whatever the number of threads; joins do not.
 *
 * Before any statement of a user it is locked: of the file system it sees the given files, it loads no extension, writes
 * no file but its own in `spillDir`, within bounds, and none of this can be set otherwise. Times are UTC on every machine.
 */
export async function withDuckDb<T>(
  { spillDir, signal, memoryBytes = DEFAULT_MEMORY_BYTES }: SessionOptions,
  { anyQuery, paths }: SessionNeeds,
  use: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const mib = Math.max(64, Math.floor(memoryBytes / MIB));
  // Loaded with the first query: most processes that could ask one never do.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    temp_directory: spillDir,
    max_temp_directory_size: `${mib * SPILL_FACTOR}MiB`,
    memory_limit: `${mib}MiB`,
    preserve_insertion_order: 'true',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    ...(anyQuery ? { threads: '1' } : {}),
  });
  const connection = await instance.connect();
  const interrupt = (): void => connection.interrupt();
  signal?.addEventListener('abort', interrupt);
  try {
    await connection.run(
      `SET TimeZone = 'UTC'; SET allowed_paths = ${listOf(paths.map(literal))}; SET enable_external_access = false; SET lock_configuration = true`,
    );
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
