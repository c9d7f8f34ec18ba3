// For the fields that it adds to a route's schema.
import '@fastify/swagger';
import { type FastifySchema } from 'fastify';
import { z } from 'zod';
import { FLOAT32_MAX } from '../../ml/dataset/cell';
import { type ModelField, type ServedModel } from '../model/served-model';
import {
  FeedbackAnswer,
  FeedbackBody,
  InferAnswer,
  InferBody,
  InvocationsAnswer,
  InvocationsBody,
  ManyPredictions,
  OnePrediction,
  ProblemBody,
} from './schemas';
import { type ApiSettings } from './settings';

type Json = Record<string, unknown>;

/** A zod schema as OpenAPI 3.1 has it: JSON Schema 2020-12. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  return json;
}

const problem = {
  description: 'Problem details, RFC 9457',
  content: { 'application/problem+json': { schema: jsonSchema(ProblemBody, 'output') } },
};
const answer = (description: string, schema: Json): Json => ({
  description,
  content: { 'application/json': { schema } },
});
const empty = (description: string): Json => ({
  description,
  content: { 'text/plain': { schema: { type: 'string' } } },
});
const free = { type: 'object', additionalProperties: true };

/** Any row, until a model says which. */
const ANY_ROW: Json = { type: 'object', additionalProperties: true };

const rowsOf = (row: Json, most?: number): Json => ({
  ...{ type: 'array', items: row, minItems: 1 },
  ...(most === undefined ? {} : { maxItems: most }),
});

/** @param most rows of one request */
function predictBody(row: Json, most?: number): Json {
  return {
    anyOf: [
      row,
      rowsOf(row, most),
      { type: 'object', required: ['features'], properties: { features: row }, additionalProperties: false },
      {
        type: 'object',
        required: ['rows'],
        properties: { rows: rowsOf(row, most) },
        additionalProperties: false,
      },
    ],
  };
}

const scored = {
  200: answer('The answer', {}),
  400: problem,
  401: problem,
  403: problem,
  408: problem,
  413: problem,
  415: problem,
  422: problem,
  429: problem,
  503: problem,
};
const looked = (description: string): Json => ({
  200: answer(description, free),
  401: problem,
  403: problem,
  429: problem,
  503: problem,
});
const probe = (description: string): Json => ({
  200: answer(description, free),
  403: problem,
  503: answer('Not ready', free),
});

const v2Params = { type: 'object', properties: { name: { type: 'string' }, version: { type: 'string' } } };

/** What each route takes and answers, for the OpenAPI document. Bodies are checked by the same zod schemas, in the routes. */
export const DOCS = {
  predict: {
    tags: ['predict'],
    summary: 'Answers one row, or several',
    body: predictBody(ANY_ROW),
    response: {
      ...scored,
      200: answer('One answer for one row, predictions for rows', {
        anyOf: [jsonSchema(OnePrediction, 'output'), jsonSchema(ManyPredictions, 'output')],
      }),
    },
  },
  invocations: {
    tags: ['predict'],
    summary: 'MLflow’s scoring protocol',
    consumes: ['application/json', 'text/csv'],
    body: jsonSchema(InvocationsBody, 'input'),
    response: {
      ...scored,
      200: answer('What mlflow models serve answers', jsonSchema(InvocationsAnswer, 'output')),
    },
  },
  feedback: {
    tags: ['predict'],
    summary: 'Tells what turned out to be true of an answer',
    body: jsonSchema(FeedbackBody, 'input'),
    response: { ...scored, 202: answer('It is taken', jsonSchema(FeedbackAnswer, 'output')), 409: problem },
  },
  root: { security: [], tags: ['state'], summary: 'Says that it is there', response: probe('It is there') },
  live: { security: [], tags: ['state'], summary: 'Whether the process gets on', response: probe('It does') },
  ready: {
    security: [],
    tags: ['state'],
    summary: 'Whether there is a model to answer with',
    response: probe('There is'),
  },
  ping: {
    security: [],
    tags: ['state'],
    summary: 'The same, as MLflow’s scoring server answers it',
    response: { 200: empty('There is'), 403: problem, 503: empty('There is none') },
  },
  health: {
    security: [],
    tags: ['state'],
    summary: 'The model, MLflow, and the age of the last check',
    response: probe('It answers; status says how well'),
  },
  modelInfo: {
    tags: ['state'],
    summary: 'What is known of the model that answers',
    response: looked('What is known of it'),
  },
  metrics: {
    tags: ['state'],
    summary: 'Counters for Prometheus',
    response: {
      200: { description: 'In its text format', content: { 'text/plain': { schema: { type: 'string' } } } },
      401: problem,
      403: problem,
      429: problem,
    },
  },
  reload: {
    tags: ['admin'],
    summary: 'Looks at the alias now',
    response: { ...scored, 200: answer('What came of it', free) },
  },
  v2Server: {
    tags: ['inference protocol'],
    summary: 'What server this is',
    response: looked('Name and version of the protocol'),
  },
  v2Live: {
    security: [],
    tags: ['inference protocol'],
    summary: 'Whether the process gets on',
    response: probe('It does'),
  },
  v2Ready: {
    security: [],
    tags: ['inference protocol'],
    summary: 'Whether there is a model',
    response: probe('There is'),
  },
  v2Model: {
    tags: ['inference protocol'],
    summary: 'What a model takes and gives',
    params: v2Params,
    response: { ...looked('Its tensors'), 404: problem },
  },
  v2ModelReady: {
    tags: ['inference protocol'],
    summary: 'Whether a model is ready',
    params: v2Params,
    response: { ...probe('It is'), 401: problem, 404: problem, 429: problem },
  },
  v2Infer: {
    tags: ['inference protocol'],
    summary: 'Answers tensors',
    params: v2Params,
    body: jsonSchema(InferBody, 'input'),
    response: { ...scored, 200: answer('Tensors', jsonSchema(InferAnswer, 'output')), 404: problem },
  },
} satisfies Record<string, FastifySchema>;

export const OPENAPI_INFO = {
  title: 'retrain: the prediction API',
  description: 'Answers with the model that the registry has in production, and never with anything else.',
  version: '1',
};

/** How callers say who they are, where keys are configured. */
export function securityOf({ keys }: Pick<ApiSettings, 'keys'>): object {
  if (keys.length === 0) return {};
  return {
    components: {
      securitySchemes: {
        key: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        bearer: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic', description: 'The key as the password, with any name.' },
      },
    },
    security: [{ key: [] }, { bearer: [] }, { basic: [] }],
  };
}

/** A row as the model's signature has it; the reader itself checks by the same fields. */
export function rowSchema({ fields }: ServedModel, example: Readonly<Json> | undefined): Json {
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, fieldSchema(field)])),
    required: fields.filter(({ optional }) => !optional).map(({ name }) => name),
    // Other spellings of a name are taken, too; a name that is none is not.
    additionalProperties: false,
    ...(example === undefined ? {} : { examples: [example] }),
  };
}

/** A text may be written as a whole number, as its digits would be. */
const TYPES = {
  number: ['number'],
  integer: ['integer'],
  text: ['string', 'integer'],
  boolean: ['boolean'],
} as const;

function fieldSchema({ type, nullable, levels, largest }: ModelField): Json {
  const types = [...TYPES[type], ...(nullable ? ['null'] : [])];
  return {
    type: types.length === 1 ? types[0] : types,
    ...(type === 'boolean' ? {} : amount(type === 'number' ? (largest ?? FLOAT32_MAX) : whole(largest))),
    // A blank text is a missing one.
    ...(type === 'text' && !nullable ? { pattern: '\\S' } : {}),
    ...(levels === null
      ? {}
      : { description: `Trained on: ${levels.slice(0, 20).join(', ')}${levels.length > 20 ? ', …' : ''}` }),
  };
}

const whole = (largest: number | undefined): number =>
  Math.min(largest ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const amount = (most: number): Json => ({ minimum: -most, maximum: most });

/** What the document says of the model in production. */
export interface DocumentedModel {
  name: string;
  version: string;
  /** As `rowSchema` has it. */
  row: Json;
  /** A row that it takes. */
  example: Readonly<Json> | undefined;
  /** Most rows of one request. */
  rowLimit: number;
}

/** The document with the body of `/predict` as the model has it, and its name in paths. @param base what the routes say, with any row */
export function withModel(base: object, { name, version, row, example, rowLimit }: DocumentedModel): Json {
  const document = structuredClone(base) as Json;
  const body = member(document, 'paths', '/predict', 'post', 'requestBody', 'content', 'application/json');
  if (body !== null) body['schema'] = predictBody(row, rowLimit);
  if (example !== undefined) addExamples(document, example);
  const examples: Json = { name, version };
  for (const path of Object.values((document['paths'] ?? {}) as Record<string, Record<string, Json>>)) {
    for (const { parameters } of Object.values(path)) {
      for (const parameter of (parameters ?? []) as Json[]) {
        if (parameter['in'] === 'path') parameter['example'] = examples[parameter['name'] as string];
      }
    }
  }
  return document;
}

/** What can be tried as it is, at `/docs`. */
function addExamples(document: Json, example: Readonly<Json>): void {
  const give = (path: string, type: string, value: unknown): void => {
    const body = member(document, 'paths', path, 'post', 'requestBody', 'content', type);
    if (body !== null) body['example'] = value;
  };
  const cells = Object.entries(example);
  give('/invocations', 'application/json', { dataframe_records: [example] });
  const quoted = (cell: unknown): string => (cell === null ? '' : JSON.stringify(cell));
  const lines = [cells.map(([name]) => quoted(name)), cells.map(([, cell]) => quoted(cell))];
  give('/invocations', 'text/csv', lines.map((line) => `${line.join(',')}\n`).join(''));
  const inputs = cells.map(([name, cell]) => {
    const datatype = typeof cell === 'string' ? 'BYTES' : typeof cell === 'boolean' ? 'BOOL' : 'FP64';
    return { name, shape: [1], datatype, data: [cell] };
  });
  for (const path of ['/v2/models/{name}/infer', '/v2/models/{name}/versions/{version}/infer'])
    give(path, 'application/json', { inputs });
}

/** The document with what CSV is, which no JSON schema says. */
export function withCsv(base: object): object {
  const content = member(base, 'paths', '/invocations', 'post', 'requestBody', 'content');
  // A value of its own: the generator gives every content type the same one.
  if (content !== null)
    content['text/csv'] = { schema: { type: 'string', description: 'A table with a header.' } };
  return base;
}

function member(from: object, ...path: string[]): Json | null {
  let found: unknown = from;
  for (const key of path) found = (found as Json | undefined)?.[key];
  return (found as Json | undefined) ?? null;
}
