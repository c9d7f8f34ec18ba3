import { type FastifyInstance } from 'fastify';
import { answerWriter, type AnswerWriter } from '../answers';
import { type Answered } from '../answered';
import { type ApiContext } from '../context';
import { Problem } from '../problem';
import { requestKey } from '../request-key';
import { type LiveModel } from '../../reload/live-model';
import { DOCS } from '../openapi';

const EXPECTED = 'expected a row, {"column": value, …}, or {"rows": [{…}, …]}';

/** What a body holds: one row, to be answered as one, or a list of them. */
interface Asked {
  rows: readonly unknown[];
  single: boolean;
}

/** `POST /predict`: one row, `{"rows": [...]}`, or `{"features": {...}}`. */
export function predictRoute(app: FastifyInstance, { answering }: ApiContext): void {
  const writers = new WeakMap<LiveModel, AnswerWriter>();
  const writerOf = (live: LiveModel): AnswerWriter => {
    let writer = writers.get(live);
    if (writer === undefined) {
      writer = answerWriter(live.served, live.facts.name, live.facts.version);
      writers.set(live, writer);
    }
    return writer;
  };

  const written = ({ live, batch, answers }: Answered, single: boolean, requestId: string): string => {
    const writer = writerOf(live);
    // An id holds no character that JSON would escape: see `requestIdOf`.
    const end = `${writer.end},"request_id":"${requestId}"}`;
    if (single) return `${writer.row(answers, 0)},${end}`;
    const rows: string[] = [];
    for (let row = 0; row < batch.rows; row++) rows.push(`${writer.row(answers, row)}}`);
    return `{"predictions":[${rows.join(',')}],${end}`;
  };

  app.post('/predict', { schema: DOCS.predict }, (request, reply) => {
    const asked = askedOf(request.body);
    const answered = answering.answer({
      requestId: request.id,
      key: requestKey(request),
      elapsedMs: () => reply.elapsedTime,
      rows: () => asked.rows,
    });
    reply.header('content-type', 'application/json; charset=utf-8');
    if (answered instanceof Promise) return answered.then((all) => written(all, asked.single, request.id));
    return reply.send(written(answered, asked.single, request.id));
  });
}

function askedOf(body: unknown): Asked {
  if (Array.isArray(body)) return { rows: body, single: false };
  if (typeof body !== 'object' || body === null)
    throw new Problem(422, 'body', `got ${body === null ? 'null' : `a ${typeof body}`}, ${EXPECTED}`);
  const keys = Object.keys(body);
  // A model may have a column of that name: then it stands beside others, or holds no list.
  if (keys.length === 1) {
    const [key] = keys;
    const inner: unknown = (body as Record<string, unknown>)[key ?? ''];
    if (key === 'rows' && Array.isArray(inner)) return { rows: inner, single: false };
    if (key === 'features' && typeof inner === 'object' && inner !== null && !Array.isArray(inner)) {
      return { rows: [inner], single: true };
    }
    if (key === 'rows' && inner !== null && typeof inner === 'object')
      throw new Problem(422, 'body', 'rows: got an object, expected a list of rows');
  }
  return { rows: [body], single: true };
}
