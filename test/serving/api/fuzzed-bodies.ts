import fc from 'fast-check';

/** A request as a stranger may send it. */
export interface FuzzedRequest {
  url: string;
  headers: Record<string, string>;
  body: Buffer;
}

const KEYS = [
  'size',
  'colour',
  'rows',
  'features',
  'instances',
  'inputs',
  'dataframe_split',
  'dataframe_records',
  'params',
  'columns',
  'data',
  'name',
  'shape',
  'datatype',
  'request_id',
  'label',
  '__proto__',
  'constructor',
  'toString',
  'prototype',
  '',
];

const TEXTS = [
  'NaN',
  'Infinity',
  '-inf',
  '',
  ' ',
  'red',
  '1e999',
  '0x10',
  '\u0000',
  '\ud800',
  '\u202e',
  'predict_proba',
  'FP64',
  'BYTES',
  'x'.repeat(5000),
];

const cell = fc.oneof(
  { weight: 4, arbitrary: fc.double() },
  { weight: 2, arbitrary: fc.integer() },
  { weight: 2, arbitrary: fc.constantFrom(...TEXTS) },
  fc.string(),
  fc.boolean(),
  fc.constant(null),
);

/** JSON of the keys that the protocols know, nested as they nest, and otherwise. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    cell,
    fc.array(tie('value'), { maxLength: 5 }),
    tie('mapping'),
  ),
  mapping: fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), tie('value'), {
    maxKeys: 5,
    noNullPrototype: true,
  }),
})).value;

const NUMBERS = [
  '1e999',
  '-1e999',
  '1E+400',
  '0.1e-400',
  '9'.repeat(400),
  '-0',
  '00',
  '1.',
  '.5',
  '+1',
  'NaN',
  'Infinity',
  '0x1F',
  '1_000',
];

const text = fc.oneof(
  json.map((value) => JSON.stringify(value)),
  fc.constantFrom(...NUMBERS).map((number) => `{"size": ${number}}`),
  fc.integer({ min: 1, max: 3000 }).map((depth) => `{"size": ${'['.repeat(depth)}${']'.repeat(depth)}}`),
  fc.integer({ min: 1, max: 3000 }).map((depth) => '{"rows":'.repeat(depth)),
  fc.constantFrom(
    '{"__proto__": {"size": 1}}',
    '{"size": 1, "constructor": {"prototype": {"polluted": 1}}}',
    '{"size": 1, "size": 2}',
    'size\n1\n',
    'size,colour\n1,"a\n',
    '\ufeff{"size": 1}',
    '',
  ),
  fc
    .array(fc.array(fc.string({ maxLength: 8 }), { maxLength: 4 }), { maxLength: 5 })
    .map((rows) => rows.map((row) => row.join(',')).join('\n')),
);

const body = fc.oneof(
  { weight: 6, arbitrary: text.map((said) => Buffer.from(said, 'utf8')) },
  { weight: 1, arbitrary: text.map((said) => Buffer.from(said, 'utf16le')) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: text.map((said) => Buffer.from(said, 'utf8').subarray(0, Math.floor(said.length / 2))),
  },
);

/** @param model name of the registered model, for the inference protocol */
export function fuzzedRequest(model: string): fc.Arbitrary<FuzzedRequest> {
  return fc.record({
    url: fc.constantFrom(
      '/predict',
      '/predict',
      '/invocations',
      '/invocations',
      `/v2/models/${model}/infer`,
      '/feedback',
      '/v2/models/%00/infer',
    ),
    headers: fc.record({
      'content-type': fc.constantFrom(
        'application/json',
        'application/json',
        'application/json',
        'application/json; charset=utf-16',
        'text/csv',
        'text/csv',
        'text/plain',
        'multipart/form-data; boundary=x',
        'application/json;;',
        '',
      ),
      'x-request-id': fc.constantFrom('a', 'a"b', '../../etc/passwd', 'x'.repeat(500)),
    }),
    body,
  });
}
