import { type FastifyInstance } from 'fastify';
import { type LiveModel } from '../../reload/live-model';
import { type Answers, type FieldType, type Label, type ServedModel } from '../../model/served-model';
import { rowsOfLists } from '../cells';
import { type ApiContext } from '../context';
import { DOCS } from '../openapi';
import { Problem } from '../problem';
import { requestKey } from '../request-key';
import { InferBody, parseBody, type Tensor } from '../schemas';
import { type z } from 'zod';

type Tensor = z.output<typeof Tensor>;

const DATATYPE: Record<FieldType, Tensor['datatype']> = {
  number: 'FP64',
  integer: 'INT64',
  text: 'BYTES',
  boolean: 'BOOL',
};

interface ModelParams {
  name: string;
  version?: string;
}

/**
 * The Open Inference Protocol, version 2, over REST
 * (https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md). Only the version in service
 * is there.
 */
export function inferenceRoutes(app: FastifyInstance, { models, answering }: ApiContext): void {
  const named = ({ name, version }: ModelParams): LiveModel | null => {
    const live = models.production();
    const serves = [live, models.canary()?.live].find(
      (one) => one?.facts.name === name && (version === undefined || one.facts.version === version),
    );
    if (serves !== undefined && serves !== null) return serves;
    if (live === null && version === undefined) return null;
    const there = live === null ? 'none' : `${live.facts.name}, version ${live.facts.version}`;
    throw new Problem(
      404,
      'no-such-model',
      `${name.slice(0, 100)}${version === undefined ? '' : ` version ${version.slice(0, 20)}`} is not served here; what is: ${there}`,
    );
  };

  app.get('/v2', { schema: DOCS.v2Server }, () => ({ name: 'retrain', version: '2', extensions: [] }));
  app.get('/v2/health/live', { schema: DOCS.v2Live }, () => ({ live: true }));
  app.get('/v2/health/ready', { schema: DOCS.v2Ready }, (_, reply) => {
    const ready = models.production() !== null;
    return reply.code(ready ? 200 : 503).send({ ready });
  });

  for (const path of ['/v2/models/:name', '/v2/models/:name/versions/:version']) {
    app.get<{ Params: ModelParams }>(path, { schema: DOCS.v2Model }, (request) => {
      const live = named(request.params);
      if (live === null)
        throw new Problem(503, 'no-model', models.status().why ?? 'no model is loaded yet', {
          retryAfter: 1,
        });
      return described(live);
    });
    app.get<{ Params: ModelParams }>(`${path}/ready`, { schema: DOCS.v2ModelReady }, (request, reply) => {
      const live = named(request.params);
      return reply.code(live === null ? 503 : 200).send({ name: request.params.name, ready: live !== null });
    });
    app.post<{ Params: ModelParams }>(`${path}/infer`, { schema: DOCS.v2Infer }, async (request, reply) => {
      named(request.params);
      const body = parseBody(InferBody, request.body);
      const { live, batch, answers } = await answering.answer({
        requestId: request.id,
        key: requestKey(request),
        elapsedMs: () => reply.elapsedTime,
        rows: (model) => rowsOfTensors(model, body.inputs),
        version: request.params.version,
      });
      const wanted = body.outputs?.map(({ name }) => name);
      const outputs = outputsOf(live.served, batch.rows, answers);
      const unknown = wanted?.find((name) => outputs.every((output) => output.name !== name));
      if (unknown !== undefined) {
        throw new Problem(
          422,
          'body',
          `outputs: ${unknown.slice(0, 100)}, expected ${outputs.map(({ name }) => name).join(' or ')}`,
        );
      }
      return {
        model_name: live.facts.name,
        model_version: live.facts.version,
        id: body.id ?? request.id,
        outputs: outputs.filter(({ name }) => wanted === undefined || wanted.includes(name)),
      };
    });
  }
}

function described({ facts, served }: LiveModel): object {
  const prediction = { name: 'prediction', datatype: datatypeOf(served), shape: [-1] };
  return {
    name: facts.name,
    versions: [facts.version],
    platform: 'onnx',
    inputs: served.fields.map(({ name, type }) => ({ name, datatype: DATATYPE[type], shape: [-1] })),
    outputs:
      served.task === 'regression'
        ? [prediction]
        : [prediction, { name: 'probabilities', datatype: 'FP64', shape: [-1, served.classes.length] }],
  };
}

function datatypeOf({ task, classes }: ServedModel): Tensor['datatype'] {
  if (task === 'regression') return 'FP64';
  return datatypeOfLabels(classes);
}

function datatypeOfLabels(labels: readonly Label[]): Tensor['datatype'] {
  if (labels.every((label) => typeof label === 'boolean')) return 'BOOL';
  if (labels.every((label) => Number.isSafeInteger(label))) return 'INT64';
  return labels.every((label) => typeof label === 'number') ? 'FP64' : 'BYTES';
}

function outputsOf(model: ServedModel, rows: number, { labels, probabilities, values }: Answers): Tensor[] {
  const outputs: Tensor[] = [];
  const predicted = values === null ? labels : [...values];
  if (predicted !== null) {
    outputs.push({ name: 'prediction', datatype: datatypeOf(model), shape: [rows], data: [...predicted] });
  }
  if (probabilities !== null) {
    outputs.push({
      name: 'probabilities',
      datatype: 'FP64',
      shape: [rows, model.classes.length],
      data: [...probabilities],
    });
  }
  return outputs;
}

/** A tensor for each column, `[n]` or `[n, 1]`; or one, `[n, d]`, with the columns in the signature's order. */
function rowsOfTensors({ fields }: ServedModel, inputs: readonly Tensor[]): readonly unknown[] {
  const [only] = inputs;
  const names = fields.map(({ name }) => name);
  if (
    inputs.length === 1 &&
    only?.shape.length === 2 &&
    only.shape[1] === fields.length &&
    (fields.length > 1 || !names.includes(only.name))
  ) {
    const cells = cellsOf(only);
    return rowsOfLists(
      names,
      Array.from({ length: only.shape[0] ?? 0 }, (_, row) =>
        cells.slice(row * fields.length, (row + 1) * fields.length),
      ),
    );
  }
  const rows = only?.shape[0] ?? 0;
  const columns = inputs.map((tensor): [string, unknown[]] => {
    if (tensor.shape[0] !== rows || (tensor.shape[1] ?? 1) !== 1) {
      throw new Problem(
        422,
        'body',
        `inputs.${tensor.name.slice(0, 100)}.shape: [${tensor.shape.join(', ')}], expected [${rows}] or [${rows}, 1]`,
      );
    }
    return [tensor.name, cellsOf(tensor)];
  });
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(columns.map(([name, cells]) => [name, cells[row]])),
  );
}

/** Row by row, however they are nested. */
function cellsOf({ name, shape, data, datatype }: Tensor): unknown[] {
  const cells = data.some(Array.isArray) ? data.flat(1) : data;
  const size = shape.reduce((all, one) => all * one, 1);
  if (cells.length !== size) {
    throw new Problem(
      422,
      'body',
      `inputs.${name.slice(0, 100)}: ${cells.length} values, expected ${size} by its shape [${shape.join(', ')}]`,
    );
  }
  // A text of no letters is how a missing one is sent: BYTES has no null.
  return datatype === 'BYTES' ? cells.map((cell) => (cell === '' ? null : cell)) : cells;
}
