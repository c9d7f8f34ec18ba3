import { type ContainerSource } from '../../contracts/collect-source';
import { RetrainError } from '../../contracts/errors';
import { type CellType } from '../../contracts/collect-columns';
import { identifier, literal, type SessionOptions, withDuckDb } from '../../ml/dataset/duckdb/session';
import { typesOf } from './csv-rows';

const MEMORY_BYTES = 512 << 20;

/** DuckDB's types that become texts which columns of numbers take. */
const NUMBERS =
  /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|UHUGEINT|FLOAT|DOUBLE|DECIMAL\(.*\))$/;
const TEXTS = /^(VARCHAR|UUID|ENUM\(.*\))$/;
const TIMES = /^TIMESTAMP( WITH TIME ZONE|_S|_MS|_NS)?$/;

/**
 * Rows of a Parquet file, as mappings of the columns that are wanted and the names of the others. A time without a zone is UTC; one at
 * midnight is a day, where a day is wanted.
 *
 * @param room rows that it may have; it is read one row further
 * @throws RetrainError SOURCE_INVALID
 */
export async function parquetRows(
  file: string,
  shown: string,
  source: ContainerSource,
  room: number,
  session: Pick<SessionOptions, 'spillDir' | 'signal'>,
): Promise<unknown[]> {
  const types = typesOf(source);
  try {
    return await withDuckDb(
      { ...session, memoryBytes: MEMORY_BYTES },
      { anyQuery: false, paths: [file] },
      async (connection) => {
        const from = `read_parquet(${literal(file)})`;
        const ask = async (query: string): Promise<(string | null)[][]> => {
          const reader = await connection.runAndReadAll(query);
          return reader.getRows().map((row) => row.map((cell) => (cell === null ? null : String(cell))));
        };
        const described = await ask(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${from})`);
        const columns = described.map(([name, type]) => ({ name: name ?? '', type: type ?? '' }));
        const wanted = columns.filter(({ name }) => types.has(name));
        const odd = wanted.find(({ type }) => !isPlain(type));
        if (odd !== undefined)
          throw invalid(
            `${shown} has column ${JSON.stringify(odd.name)} of type ${odd.type.slice(0, 60)}, expected a plain one: numbers, texts, truth values, dates or times`,
          );
        const extra = columns.filter(({ name }) => !types.has(name)).map(({ name }) => name);
        const texts = wanted.map(({ name, type }) => textOf(name, type, types.get(name)));
        // A few bytes can stand for many: what it comes to is asked before memory is taken.
        const lengths = texts.map((text) => `coalesce(sum(octet_length(encode(${text}))), 0)`);
        const [[rows = '0', bytes = '0'] = []] = await ask(
          `SELECT count(*), ${lengths.length === 0 ? '0' : lengths.join(' + ')} FROM ${from}`,
        );
        if (Number(bytes) > source.max_bytes)
          throw invalid(
            `${shown} comes to ${bytes} bytes unpacked, expected at most ${source.max_bytes} (max_bytes); have the source leave less, or raise max_bytes`,
          );
        if (Number(rows) > room) return new Array<null>(room + 1).fill(null);
        const more = Object.fromEntries(extra.map((name) => [name, null]));
        if (texts.length === 0) return Array.from({ length: Number(rows) }, () => more);
        const found = await ask(`SELECT ${texts.join(', ')} FROM ${from}`);
        return found.map((cells) => ({
          ...more,
          ...Object.fromEntries(
            wanted.map(({ name, type }, at) => [name, valueOf(cells[at] ?? null, type, types.get(name))]),
          ),
        }));
      },
    );
  } catch (error) {
    session.signal?.throwIfAborted();
    if (error instanceof RetrainError) throw error;
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw invalid(
      `${shown} cannot be read as Parquet (${reason.replaceAll(file, 'it').slice(0, 200)}); was it cut off? Nothing was written`,
      error,
    );
  }
}

const isPlain = (type: string): boolean =>
  [NUMBERS, TEXTS, TIMES].some((known) => known.test(type)) || type === 'BOOLEAN' || type === 'DATE';

function textOf(name: string, type: string, wanted: CellType | undefined): string {
  const column = identifier(name);
  if (!TIMES.test(type)) return `CAST(${column} AS VARCHAR)`;
  // By the number of microseconds: a zone needs no extension then.
  const time = `make_timestamp(epoch_us(${column}))`;
  const iso = `strftime(${time}, '%Y-%m-%dT%H:%M:%S.%fZ')`;
  if (wanted !== 'date') return iso;
  return `CASE WHEN ${time} = date_trunc('day', ${time}) THEN strftime(${time}, '%Y-%m-%d') ELSE ${iso} END`;
}

function valueOf(text: string | null, type: string, wanted: CellType | undefined): unknown {
  if (text === null) return null;
  if (type === 'BOOLEAN') return text === 'true';
  // A number where a text is wanted is another schema, and is told as what it is.
  return NUMBERS.test(type) && wanted !== 'number' && wanted !== 'integer' ? Number(text) : text;
}

const invalid = (message: string, cause?: unknown): RetrainError =>
  new RetrainError('SOURCE_INVALID', message, { cause });
