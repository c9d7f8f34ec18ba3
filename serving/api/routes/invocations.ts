import { parse } from 'csv-parse/sync';
import { type FastifyInstance } from 'fastify';
import { asPandasTakes, rowsOfLists } from '../cells';
import { type ApiContext } from '../context';
import { DOCS } from '../openapi';
import { plainPredictions } from '../predictions';
import { Problem } from '../problem';
import { requestKey } from '../request-key';
import { InvocationsBody, parseBody } from '../schemas';
import { type ServedModel } from '../../model/served-model';

const FORMS = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const;

/** A table in CSV, as the parser for its content type hands it on. */
export class CsvBody {
  constructor(readonly text: string) {}
}

/** `POST /invocations`: MLflow's scoring protocol (https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally). */
export function invocationsRoute(app: FastifyInstance, { answering, settings }: ApiContext): void {
  app.post('/invocations', { schema: DOCS.invocations }, async (request, reply) => {
    const body = request.body instanceof CsvBody ? request.body : parseBody(InvocationsBody, request.body);
    const { live, batch, answers } = await answering.answer({
      requestId: request.id,
      key: requestKey(request),
      elapsedMs: () => reply.elapsedTime,
      rows: (model) =>
        asPandasTakes(
          model.fields,
          body instanceof CsvBody ? rowsOfCsv(body.text, settings.rowLimit) : rowsOf(body, model),
        ),
    });
    const method = body instanceof CsvBody ? 'predict' : body.params.predict_method;
    const predictions = plainPredictions(live.served, batch.rows, answers, method);
    if (predictions !== null) return { predictions };
    throw new Problem(
      422,
      'body',
      'params.predict_method: the model gives no probabilities, expected predict',
    );
  });
}

function rowsOf(body: InvocationsBody, { fields }: ServedModel): readonly unknown[] {
  const given = FORMS.filter((form) => body[form] !== undefined);
  const [form] = given;
  if (form === undefined || given.length > 1) {
    throw new Problem(
      422,
      'body',
      `the body has ${given.length === 0 ? 'none' : given.join(' and ')} of ${FORMS.join(', ')}, expected one`,
    );
  }
  if (form === 'dataframe_split')
    return rowsOfLists(body.dataframe_split?.columns ?? [], body.dataframe_split?.data ?? []);
  if (form === 'dataframe_records') return body.dataframe_records ?? [];
  const value = body[form];
  const names = fields.map(({ name }) => name);
  if (Array.isArray(value)) {
    return value.map((row) => (Array.isArray(row) ? (rowsOfLists(names, [row])[0] ?? {}) : row));
  }
  return rowsOfColumns(value ?? {}, form);
}

/** `{"a": [1, 2], "b": [3, 4]}`, or one cell each for a single row. */
function rowsOfColumns(columns: Readonly<Record<string, unknown>>, form: string): readonly unknown[] {
  const names = Object.keys(columns);
  if (names.every((name) => !Array.isArray(columns[name]))) return [columns];
  const lists = names.map((name) => {
    const cells = columns[name];
    if (Array.isArray(cells)) return cells as unknown[];
    throw new Problem(
      422,
      'body',
      `${form}.${name.slice(0, 100)}: got one value, expected a list as in the other columns`,
    );
  });
  const length = lists[0]?.length ?? 0;
  const other = lists.findIndex((cells) => cells.length !== length);
  if (other !== -1) {
    throw new Problem(
      422,
      'body',
      `${form}.${names[other]?.slice(0, 100)}: got ${lists[other]?.length} values, expected ${length} as in ${names[0]?.slice(0, 100)}`,
    );
  }
  return Array.from({ length }, (_, row) =>
    Object.fromEntries(names.map((name, c) => [name, flat(lists[c]?.[row])])),
  );
}

/** A tensor of width 1 has its cells in lists of one. */
function flat(cell: unknown): unknown {
  return Array.isArray(cell) && cell.length === 1 ? cell[0] : cell;
}

/** The header names the columns. @throws Problem 400, 413 */
function rowsOfCsv(text: string, rowLimit: number): readonly unknown[] {
  let records: string[][];
  try {
    // One more than may be, so that too many are noticed and not read.
    records = parse(text, { bom: true, relax_column_count: true, skip_empty_lines: true, to: rowLimit + 2 });
  } catch (error) {
    throw new Problem(400, 'csv', `the body is no CSV: ${(error as Error).message.slice(0, 200)}`);
  }
  const [header, ...rows] = records;
  if (header === undefined) throw new Problem(400, 'csv', 'the body is empty, expected CSV with a header');
  const twice = header.find((name, at) => header.indexOf(name) !== at);
  if (twice !== undefined)
    throw new Problem(422, 'rows', `two columns are called ${JSON.stringify(twice.slice(0, 100))}`);
  return rowsOfLists(header, rows);
}
