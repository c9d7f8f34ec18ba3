import { openApi, type OpenedApi } from './open-api';

let opened: OpenedApi;
beforeAll(async () => {
  opened = await openApi({ rowLimit: 5 });
});
afterAll(() => opened.app.close());

const post = async (url: string, payload: unknown, type = 'application/json') => {
  const response = await opened.app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': type },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  });
  return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
};

describe('POST /invocations', () => {
  it.each([
    [
      'dataframe_split',
      {
        dataframe_split: {
          columns: ['colour', 'size'],
          index: [0, 1],
          data: [
            ['red', -1],
            [null, 1],
          ],
        },
      },
    ],
    ['dataframe_records', { dataframe_records: [{ size: -1, colour: 'red' }, { size: 1 }] }],
    ['instances of mappings', { instances: [{ size: -1 }, { size: 1 }] }],
    [
      'instances of lists',
      {
        instances: [
          [-1, 'red'],
          [1, null],
        ],
      },
    ],
    ['inputs of columns', { inputs: { size: [-1, 1], colour: ['red', 'blue'] } }],
    ['inputs of columns of width 1', { inputs: { size: [[-1], [1]] } }],
    ['inputs of records', { inputs: [{ size: -1 }, { size: 1 }] }],
    [
      'numbers written as text, and missing texts',
      {
        dataframe_records: [
          { size: '-1', colour: 'NaN' },
          { size: '1.0', colour: 5 },
        ],
      },
    ],
  ])('takes %s', async (_, body) => {
    expect(await post('/invocations', body)).toEqual({
      status: 200,
      body: { predictions: ['small', 'big'] },
    });
  });

  it('takes one row as a mapping of cells', async () => {
    expect(await post('/invocations', { inputs: { size: 4 } })).toEqual({
      status: 200,
      body: { predictions: ['big'] },
    });
  });

  it('takes CSV with a header, in any order', async () => {
    expect(
      await post('/invocations', 'colour,size\n"red, or so",-1\n,2\n', 'text/csv; charset=utf-8'),
    ).toEqual({ status: 200, body: { predictions: ['small', 'big'] } });
  });

  it('answers probabilities when they are asked for', async () => {
    const { status, body } = await post('/invocations', {
      inputs: [{ size: 0 }],
      params: { predict_method: 'predict_proba' },
    });
    expect({ status, body }).toEqual({ status: 200, body: { predictions: [[0.5, 0.5]] } });
  });

  it.each([
    ['none of the four', {}, 422, 'has none of'],
    ['two of them', { inputs: [], instances: [] }, 422, 'inputs'],
    ['a list', [1], 422, 'expected object'],
    ['columns of other lengths', { inputs: { size: [1, 2], colour: ['red'] } }, 422, 'expected 2'],
    [
      'a row of another width',
      { dataframe_split: { columns: ['size'], data: [[1, 2]] } },
      422,
      'row 0 has 2 values, expected 1',
    ],
    [
      'another method',
      { inputs: [{ size: 1 }], params: { predict_method: 'predict_log' } },
      422,
      'params.predict_method',
    ],
    [
      'too many rows',
      { inputs: Array.from({ length: 6 }, () => ({ size: 1 })) },
      413,
      '6 rows, expected at most 5',
    ],
  ])('refuses %s', async (_, payload, status, words) => {
    expect(await post('/invocations', payload)).toEqual({
      status,
      body: expect.objectContaining({ detail: expect.stringContaining(words) as string }) as object,
    });
  });

  it.each([
    ['an open quote', 'size\n"1', 400],
    ['nothing', '', 400],
    ['two columns of one name', 'size,size\n1,2', 422],
    ['text for a number', 'size\ntall', 422],
    ['too many rows', `size\n${'1\n'.repeat(9)}`, 413],
  ])('refuses CSV with %s', async (_, payload, status) => {
    expect((await post('/invocations', payload, 'text/csv')).status).toBe(status);
  });
});

describe('the Open Inference Protocol', () => {
  it('describes server and model', async () => {
    expect((await opened.app.inject('/v2')).json()).toMatchObject({ name: 'retrain' });
    expect((await opened.app.inject('/v2/health/live')).json()).toEqual({ live: true });
    expect((await opened.app.inject('/v2/health/ready')).json()).toEqual({ ready: true });
    for (const url of ['/v2/models/sizes', '/v2/models/sizes/versions/3']) {
      expect((await opened.app.inject(url)).json()).toEqual({
        name: 'sizes',
        versions: ['3'],
        platform: 'onnx',
        inputs: [
          { name: 'size', datatype: 'FP64', shape: [-1] },
          { name: 'colour', datatype: 'BYTES', shape: [-1] },
        ],
        outputs: [
          { name: 'prediction', datatype: 'BYTES', shape: [-1] },
          { name: 'probabilities', datatype: 'FP64', shape: [-1, 2] },
        ],
      });
      expect((await opened.app.inject(`${url}/ready`)).json()).toEqual({ name: 'sizes', ready: true });
    }
  });

  it('answers a tensor for each column', async () => {
    const { status, body } = await post('/v2/models/sizes/infer', {
      id: 'mine',
      inputs: [
        { name: 'size', shape: [2, 1], datatype: 'FP32', data: [[-4], [4]] },
        { name: 'colour', shape: [2], datatype: 'BYTES', data: ['red', ''] },
      ],
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: 'mine',
      model_name: 'sizes',
      model_version: '3',
      outputs: [
        { name: 'prediction', datatype: 'BYTES', shape: [2], data: ['small', 'big'] },
        { name: 'probabilities', datatype: 'FP64', shape: [2, 2] },
      ],
    });
  });

  it('answers only the outputs that are asked for, of the version that is named', async () => {
    const inputs = [{ name: 'size', shape: [1], datatype: 'FP64', data: [1] }];
    const { body } = await post('/v2/models/sizes/versions/3/infer', {
      inputs,
      outputs: [{ name: 'prediction' }],
    });
    expect(body['outputs']).toEqual([{ name: 'prediction', datatype: 'BYTES', shape: [1], data: ['big'] }]);
    expect((await post('/v2/models/sizes/infer', { inputs, outputs: [{ name: 'logits' }] })).status).toBe(
      422,
    );
  });

  it.each([
    ['another model', '/v2/models/others', 404],
    ['another version', '/v2/models/sizes/versions/4', 404],
    ['another version’s readiness', '/v2/models/sizes/versions/4/ready', 404],
  ])('has no %s', async (_, url, status) => {
    expect((await opened.app.inject(url)).statusCode).toBe(status);
  });

  it.each([
    ['a shape that does not fit', { inputs: [{ name: 'size', shape: [2], datatype: 'FP64', data: [1] }] }],
    [
      'shapes that differ',
      {
        inputs: [
          { name: 'size', shape: [1], datatype: 'FP64', data: [1] },
          { name: 'colour', shape: [2], datatype: 'BYTES', data: ['a', 'b'] },
        ],
      },
    ],
    ['no inputs', { inputs: [] }],
    ['an unknown datatype', { inputs: [{ name: 'size', shape: [1], datatype: 'COMPLEX', data: [1] }] }],
    ['a wrong cell', { inputs: [{ name: 'size', shape: [1], datatype: 'BYTES', data: ['tall'] }] }],
  ])('refuses %s', async (_, payload) => {
    expect((await post('/v2/models/sizes/infer', payload)).status).toBe(422);
  });
});
