import { NOW, openApi, type OpenedApi } from './open-api';
import { FixedModels, SmallModel } from '../small-model';

let opened: OpenedApi;
beforeAll(async () => {
  opened = await openApi();
});
afterAll(() => opened.app.close());

const post = async (payload: unknown, headers: Record<string, string> = {}, api = opened) => {
  const response = await api.app.inject({
    method: 'POST',
    url: '/predict',
    headers: { 'content-type': 'application/json', ...headers },
    payload: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
  });
  return {
    status: response.statusCode,
    headers: response.headers,
    body: response.json<Record<string, unknown>>(),
  };
};

describe('POST /predict', () => {
  it('answers one row with class, probability, version and request id', async () => {
    const { status, body, headers } = await post({ size: 2, colour: 'red' });
    expect(status).toBe(200);
    expect(body).toEqual({
      prediction: 'big',
      probability: expect.closeTo(0.8808, 4) as number,
      probabilities: { small: expect.closeTo(0.1192, 4) as number, big: expect.closeTo(0.8808, 4) as number },
      decision: null,
      cutoff: null,
      model_name: 'sizes',
      model_version: '3',
      request_id: headers['x-request-id'],
    });
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('answers rows in their order, with one id', async () => {
    const { status, body } = await post({ rows: [{ size: -5 }, { size: 5 }] });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      predictions: [{ prediction: 'small' }, { prediction: 'big' }],
      model_version: '3',
    });
  });

  it.each([
    ['a list of rows', [{ size: 1 }], 'predictions'],
    ['features', { features: { size: 1 } }, 'prediction'],
  ])('takes %s', async (_, payload, key) => {
    const { status, body } = await post(payload);
    expect(status).toBe(200);
    expect(Object.keys(body)).toContain(key);
  });

  it('names each wrong field of each row, what it was and what it should be', async () => {
    const { status, body, headers } = await post({ rows: [{ size: 'tall', colour: 7 }, { size: 1 }, {}] });
    expect(status).toBe(422);
    expect(headers['content-type']).toContain('application/problem+json');
    expect(body).toMatchObject({
      type: 'urn:retrain:problem:rows',
      title: 'Unprocessable Entity',
      status: 422,
      errors: [
        { row: 0, field: 'size', seen: '"tall"', expected: 'a finite number' },
        { row: 0, field: 'colour', seen: '7', expected: 'a text' },
        { row: 2, field: 'size', seen: 'nothing', expected: 'a finite number' },
      ],
    });
  });

  it.each([
    ['no JSON', '{"size": ', 400, 'the body is no JSON'],
    ['nothing', '', 400, 'the body is empty'],
    ['NaN', '{"size": NaN}', 400, 'write null for a missing value'],
    ['a number', '3', 422, 'got a number, expected a row'],
    ['null', 'null', 422, 'got null, expected a row'],
    ['a huge number', '{"size": 1e999}', 422, 'row 0, size'],
    ['no rows', '{"rows": []}', 422, 'there is no row'],
    ['rows that are no list', '{"rows": {}}', 422, 'expected a list of rows'],
    ['deep nesting', `{"size": ${'['.repeat(40)}${']'.repeat(40)}}`, 400, 'nested deeper than 16'],
    ['a prototype', '{"__proto__": {"size": 1}}', 422, 'row 0, size: nothing'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400, 'not UTF-8'],
  ])('refuses %s with a problem', async (_, payload, expected, words) => {
    const { status, body, headers } = await post(payload);
    expect({ status, detail: body['detail'] }).toEqual({
      status: expected,
      detail: expect.stringContaining(words) as string,
    });
    expect(headers['content-type']).toContain('application/problem+json');
    expect(body['request_id']).toBe(headers['x-request-id']);
    expect(({} as Record<string, unknown>)['size']).toBeUndefined();
  });

  it('refuses a packed body, another kind of body, a large one and too many rows', async () => {
    const small = await openApi({ bodyLimit: 1000, rowLimit: 3 });
    try {
      expect((await post({ size: 1 }, { 'content-encoding': 'gzip' })).status).toBe(415);
      expect((await post('size=1', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(
        415,
      );
      expect((await post({ size: 1, colour: 'x'.repeat(2000) }, {}, small)).status).toBe(413);
      const many = await post({ rows: [{ size: 1 }, { size: 1 }, { size: 1 }, { size: 1 }] }, {}, small);
      expect(many).toMatchObject({
        status: 413,
        body: { detail: expect.stringContaining('4 rows, expected at most 3') as string },
      });
    } finally {
      await small.app.close();
    }
  });

  it('keeps the caller’s request id where it can be kept', async () => {
    expect((await post({ size: 1 }, { 'x-request-id': 'order-17' })).body['request_id']).toBe('order-17');
    const other = (await post({ size: 1 }, { 'x-request-id': 'a "quoted" id' })).body['request_id'];
    expect(other).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('says what the cut-off decides beside the most probable class', async () => {
    const api = await openApi({}, new SmallModel({ cutoff: 0.2 }));
    try {
      const { body } = await post({ size: -1 }, {}, api);
      expect(body).toMatchObject({
        prediction: 'small',
        decision: 'big',
        cutoff: { positive: 'big', threshold: 0.2 },
      });
    } finally {
      await api.app.close();
    }
  });

  it('answers the value of a regression', async () => {
    const api = await openApi({}, new SmallModel({ task: 'regression' }));
    try {
      expect((await post({ size: 21 }, {}, api)).body).toMatchObject({
        prediction: 42,
        probability: null,
        probabilities: null,
      });
    } finally {
      await api.app.close();
    }
  });

  it('logs every prediction with its request id and the model that made it', async () => {
    const before = opened.log.heard.length;
    await post({ rows: [{ size: 1 }, { size: 2 }] }, { 'x-request-id': 'logged' });
    const heard = opened.log.heard.slice(before);
    expect(heard).toHaveLength(1);
    expect(heard[0]).toMatchObject({
      at: NOW,
      requestId: 'logged',
      modelName: 'sizes',
      modelVersion: '3',
      role: 'production',
    });
    expect(heard[0]?.batch.rows).toBe(2);
  });

  it('says 503, and what to do, while there is no model', async () => {
    const api = await openApi({}, null);
    api.models.now = {
      ...api.models.now,
      state: 'waiting',
      why: 'sizes has no version in production; promote one: retrain promote sizes',
    };
    try {
      const { status, body, headers } = await post({ size: 1 }, {}, api);
      expect(status).toBe(503);
      expect(headers['retry-after']).toBe('1');
      expect(body['detail']).toContain('retrain promote sizes');
    } finally {
      await api.app.close();
    }
  });

  it('answers with the version that was asked, though another has taken its place meanwhile', async () => {
    let finish: () => void = () => undefined;
    const waits = new Promise<void>((resolve) => (finish = resolve));
    const slow = new SmallModel({ later: (answers) => waits.then(() => answers) });
    const api = await openApi({}, slow);
    try {
      const asked = post({ size: 1 }, {}, api);
      await until(() => slow.scored === 1);
      const old = api.models.live;
      api.models.live = new FixedModels(new SmallModel()).live;
      old?.retire();
      expect(slow.closed).toBe(0);
      finish();
      expect((await asked).body['model_version']).toBe('3');
      await until(() => slow.closed === 1);
    } finally {
      await api.app.close();
    }
  });

  it('sends away what a slow model cannot take, and says when to come again', async () => {
    const stuck = new SmallModel({ later: () => new Promise(() => undefined) });
    const api = await openApi({ concurrency: 1, scoreTimeoutMs: 200 }, stuck);
    try {
      const first = post({ size: 1 }, {}, api);
      await until(() => stuck.scored === 1);
      const second = await post({ size: 1 }, {}, api);
      expect(second).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
      expect(await first).toMatchObject({
        status: 503,
        body: { detail: expect.stringContaining('longer than 0.2 s') as string },
      });
    } finally {
      await api.app.close();
    }
  });

  it('lets a shadow answer too, and tells nobody but metrics and /model/info', async () => {
    const api = await openApi();
    const shadow = new FixedModels(new SmallModel({ limit: 3 })).live;
    api.models.shadowLive = shadow;
    try {
      expect((await post({ rows: [{ size: 1 }, { size: 9 }] }, {}, api)).body).toMatchObject({
        predictions: [{ prediction: 'big' }, { prediction: 'big' }],
      });
      await until(() => api.log.heard.some(({ role, at }) => role === 'shadow' && at === NOW));
      const info = (await api.app.inject('/model/info')).json<{ shadow: unknown }>();
      expect(info.shadow).toMatchObject({
        compared: { rows: 2, disagreed: 1, failed: 0 },
        answered: { rows: 2, by_class: { small: 1, big: 1 } },
      });
    } finally {
      await api.app.close();
    }
  });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}
