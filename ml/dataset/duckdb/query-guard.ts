import { type DuckDBConnection } from '@duckdb/node-api';
import { listed, RetrainError } from '../../../contracts/errors';

/** Functions that do not give the same for the same rows on every machine at any time. */
export const CHANGING: ReadonlySet<string> = new Set([
  ...['random', 'setseed', 'uuid', 'uuidv4', 'uuidv7', 'gen_random_uuid', 'nextval', 'currval', 'stats'],
  ...['now', 'today', 'transaction_timestamp', 'get_current_timestamp', 'get_current_time', 'ago'],
  ...['current_date', 'current_time', 'current_timestamp', 'localtime', 'localtimestamp', 'txid_current'],
  ...['current_transaction_id', 'current_query_id', 'current_connection_id', 'current_query'],
]);

/** Functions that look at, or change, the session and the machine instead of the rows. */
export const FOREIGN: ReadonlySet<string> = new Set([
  ...['current_user', 'current_role', 'session_user', 'user', 'current_catalog', 'current_database'],
  ...['current_schema', 'current_schemas', 'in_search_path', 'current_setting', 'getenv', 'getvariable'],
  ...['version', 'get_block_size', 'write_log', 'sleep_ms', 'error', 'parse_duckdb_log_message'],
  ...['json_execute_serialized_sql', 'query', 'query_table', 'obj_description', 'shobj_description'],
  ...['col_description', 'map_to_pg_oid', 'format_pg_type'],
]);

/** Those that are called without brackets, and so look like columns. */
const VALUES: ReadonlySet<string> = new Set([
  ...['current_date', 'current_time', 'current_timestamp', 'localtime', 'localtimestamp'],
  ...['current_user', 'current_role', 'session_user', 'user', 'current_catalog', 'current_schema'],
]);

export const FOREIGN_PREFIX = /^(?:pg_|has_|inet_|duckdb_|pragma_|icu_)/;

/** Table functions that make rows of their arguments alone. */
const ROWS: ReadonlySet<string> = new Set(['range', 'generate_series', 'unnest']);

/** What a query or condition of params.yaml may name. */
export interface QueryScope {
  /** The key that holds it, for messages. */
  key: 'preprocess.sql' | 'preprocess.filter';
  tables: readonly string[];
  /** Columns of these tables: they win over functions that are written without brackets, such as current_date. */
  columns: readonly string[];
}

type Tree = Readonly<Record<string, unknown>>;

/**
 * Refuses everything but one SELECT over the declared tables that gives the same rows every time. DuckDB parses it, and
 * what it parsed is looked through; nothing is run.
 *
 * @throws RetrainError CONFIG_INVALID
 */
export async function requirePlainQuery(
  connection: DuckDBConnection,
  sql: string,
  scope: QueryScope,
): Promise<void> {
  const [statement, ...more] = await parsed(connection, sql, scope);
  if (statement === undefined || more.length > 0) {
    throw refused(
      scope,
      `holds ${more.length + (statement === undefined ? 0 : 1)} statements, expected one SELECT`,
    );
  }
  requireAllowed(statement, scope);
}

/**
 * Refuses everything but one expression, as `requirePlainQuery` does.
 *
 * @throws RetrainError CONFIG_INVALID
 */
export async function requirePlainCondition(
  connection: DuckDBConnection,
  condition: string,
  scope: QueryScope,
): Promise<void> {
  const [statement, ...more] = await parsed(connection, `SELECT (${condition}\n)`, scope);
  const node = treeOf(statement?.['node']);
  const plain =
    more.length === 0 &&
    node['type'] === 'SELECT_NODE' &&
    listIn(node['select_list']).length === 1 &&
    treeOf(node['from_table'])['type'] === 'EMPTY' &&
    node['where_clause'] === null &&
    node['having'] === null &&
    node['qualify'] === null &&
    node['sample'] === null &&
    listIn(node['modifiers']).length === 0 &&
    listIn(node['group_expressions']).length === 0;
  if (!plain)
    throw refused(scope, 'is more than a condition; expected one such as "age >= 18 AND income > 0"');
  requireAllowed(statement ?? {}, scope);
}

async function parsed(connection: DuckDBConnection, sql: string, scope: QueryScope): Promise<Tree[]> {
  const result = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql]);
  const tree = treeOf(JSON.parse(String(result.getRows()[0]?.[0])));
  if (tree['error'] !== true) return listIn(tree['statements']).map(treeOf);
  const message = String(tree['error_message']);
  throw refused(
    scope,
    message.startsWith('Only SELECT')
      ? 'is no SELECT; it may only read the tables that params.yaml declares'
      : `does not parse: ${message.replace(/\s+/g, ' ').slice(0, 200)}`,
  );
}

function requireAllowed(statement: Tree, scope: QueryScope): void {
  const nodes = [...everyNode(statement)];
  const own = new Set(
    nodes.flatMap((node) => [
      ...listIn(treeOf(node['cte_map'])['map']).map((entry) => lower(treeOf(entry)['key'])),
      ...('cte_name' in node ? [lower(node['cte_name'])] : []),
    ]),
  );
  for (const name of scope.tables) own.add(name.toLowerCase());
  const columns = new Set(scope.columns.map((name) => name.toLowerCase()));
  for (const node of nodes) requireAllowedNode(node, own, columns, scope);
}

function requireAllowedNode(
  node: Tree,
  tables: ReadonlySet<string>,
  columns: ReadonlySet<string>,
  scope: QueryScope,
): void {
  if (typeof node['sample'] === 'object' && node['sample'] !== null) {
    throw refused(
      scope,
      'takes a sample, which differs from run to run; use a condition on hash(column) % 10',
    );
  }
  switch (node['type']) {
    case 'BASE_TABLE': {
      const name = String(node['table_name']);
      if (node['schema_name'] === '' && node['catalog_name'] === '' && tables.has(name.toLowerCase())) return;
      throw refused(
        scope,
        `reads ${JSON.stringify(name.slice(0, 60))}, expected only ${listed(scope.tables)}; ${declare(name)}`,
      );
    }
    case 'SHOW_REF':
      throw refused(scope, 'is no SELECT; it may only read the tables that params.yaml declares');
    case 'TABLE_FUNCTION': {
      const name = lower(treeOf(node['function'])['function_name']);
      if (ROWS.has(name)) return;
      throw refused(
        scope,
        `calls ${shownName(name)}, expected only ${listed(scope.tables)} after FROM; ${declare('other')}`,
      );
    }
    case 'COLUMN_REF': {
      const names = listIn(node['column_names']);
      const name = lower(names[0]);
      if (names.length === 1 && VALUES.has(name) && !columns.has(name)) requireSteady(name, 0, scope);
      return;
    }
    default:
      if (typeof node['function_name'] === 'string') {
        requireSteady(lower(node['function_name']), listIn(node['children']).length, scope);
      }
  }
}

function requireSteady(name: string, operands: number, scope: QueryScope): void {
  // age() of one operand counts from today.
  if (CHANGING.has(name) || (name === 'age' && operands === 1)) {
    throw refused(
      scope,
      `uses ${shownName(name)}, which gives something else each time, so the run could not be repeated; write the value itself, or use hash(column) for a draw`,
    );
  }
  if (FOREIGN.has(name) || FOREIGN_PREFIX.test(name)) {
    throw refused(scope, `uses ${shownName(name)}, which is about the machine and not about the rows`);
  }
}

function* everyNode(value: unknown): Generator<Tree> {
  if (Array.isArray(value)) {
    for (const item of value) yield* everyNode(item);
  } else if (typeof value === 'object' && value !== null) {
    yield value as Tree;
    for (const item of Object.values(value)) yield* everyNode(item);
  }
}

/** What to do about a table that nobody declared. */
const declare = (name: string): string => {
  const table = /^[A-Za-z]\w{0,40}$/.test(name) ? name : 'other';
  return `declare a file to join in params.yaml, data: { extra: { ${table}: data/${table}.csv } }, and name it ${table} in the query`;
};

const refused = (scope: QueryScope, why: string): RetrainError =>
  new RetrainError('CONFIG_INVALID', `${scope.key}: ${why}`);

const shownName = (name: string): string => `${name.replace(/[^\w]/g, '?').slice(0, 60)}()`;

const lower = (value: unknown): string => String(value).toLowerCase();

const treeOf = (value: unknown): Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Tree) : {};

const listIn = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
