import { FLOAT32_MAX } from '../../../ml/dataset/cell';
import { openApi, type OpenedApi } from './open-api';

let opened: OpenedApi;
beforeEach(async () => {
  opened = await openApi({ adminToken: 'let-me-in' });
});
afterEach(() => opened.app.close());

const get = async (url: string) => {
  const response = await opened.app.inject(url);
  return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
};

it('says that it is there, that it lives and that it is ready', async () => {
  expect((await get('/')).body).toMatchObject({ status: 'ok', model: 'sizes v3' });
  expect((await get('/live')).body).toEqual({ live: true });
  expect((await get('/ready')).body).toEqual({ ready: true });
  expect((await opened.app.inject('/ping')).statusCode).toBe(200);
});

it('is alive but not ready without a model, and says what to do', async () => {
  opened.models.live = null;
  opened.models.now = { ...opened.models.now, state: 'waiting', why: 'promote one: retrain promote sizes' };
  expect(await get('/live')).toMatchObject({ status: 200 });
  expect(await get('/')).toMatchObject({ status: 200, body: { status: 'waiting' } });
  expect(await get('/ready')).toEqual({
    status: 503,
    body: { ready: false, why: 'promote one: retrain promote sizes' },
  });
  expect(await get('/health')).toMatchObject({
    status: 503,
    body: { status: 'unhealthy', model_loaded: false },
  });
  expect(await get('/model/info')).toMatchObject({ status: 503 });
  expect(await get('/v2/health/ready')).toEqual({ status: 503, body: { ready: false } });
  expect(await get('/v2/models/sizes')).toMatchObject({ status: 503 });
});

it('tells of the model, of MLflow and of versions that were refused', async () => {
  expect((await get('/health')).body).toMatchObject({
    status: 'healthy',
    why: null,
    model: { name: 'sizes', version: '3' },
    mlflow: { reachable: true },
  });
  opened.models.now = {
    ...opened.models.now,
    state: 'degraded',
    why: 'v4 was refused: its files differ',
    refused: [{ version: '4', why: 'its files differ', at: 0 }],
  };
  expect(await get('/health')).toMatchObject({
    status: 200,
    body: {
      status: 'degraded',
      why: 'v4 was refused: its files differ',
      refused_versions: [{ version: '4' }],
    },
  });
});

it('tells what is known of the model', async () => {
  expect((await get('/model/info')).body).toMatchObject({
    model_name: 'sizes',
    model_version: '3',
    model_stage: 'Production',
    alias: 'production',
    run_id: 'f00d',
    data_hash: 'a'.repeat(64),
    git_commit: 'b'.repeat(40),
    metrics: { accuracy: 0.9 },
    classes: ['small', 'big'],
    loaded_at: '2026-01-01T00:00:00.000Z',
    signature: {
      inputs: [
        { name: 'size', type: 'number', optional: false },
        { name: 'colour', type: 'text' },
      ],
    },
    canary: null,
    shadow: null,
  });
});

it('counts requests, predictions by class and the model for Prometheus', async () => {
  const headers = { 'content-type': 'application/json' };
  await opened.app.inject({
    method: 'POST',
    url: '/predict',
    headers,
    payload: '{"rows":[{"size":1},{"size":2},{"size":-1}]}',
  });
  await opened.app.inject({ method: 'POST', url: '/predict', headers, payload: '{}' });
  await opened.app.inject('/nothing/here');
  const text = (await opened.app.inject('/metrics')).body;
  expect(text).toContain('retrain_api_requests_total{route="/predict",status="200"} 1');
  expect(text).toContain('retrain_api_requests_total{route="/predict",status="422"} 1');
  expect(text).toContain('retrain_api_requests_total{route="none",status="404"} 1');
  expect(text).toContain(
    'retrain_api_predictions_total{model="sizes",version="3",role="production",class="big"} 2',
  );
  expect(text).toContain(
    'retrain_api_model_info{model="sizes",version="3",role="production",engine="forest"} 1',
  );
  expect(text).toMatch(/retrain_api_request_seconds_bucket\{le="0.1",route="\/predict"\} \d/);
  expect(text).toContain('retrain_api_queue 0');
  expect(text).toContain('retrain_api_reloads_total 1');
});

it('looks at the alias again for whoever has the token', async () => {
  const reload = (token: string) =>
    opened.app.inject({
      method: 'POST',
      url: '/admin/reload',
      headers: { authorization: `Bearer ${token}` },
    });
  expect((await reload('guess')).statusCode).toBe(401);
  expect(opened.models.looks).toBe(0);
  const answer = await reload('let-me-in');
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({ state: 'ok', why: null, model_version: '3' });
  expect(opened.models.looks).toBe(1);
});

it('takes what turned out to be true', async () => {
  const tell = async (payload: object) => {
    const response = await opened.app.inject({ method: 'POST', url: '/feedback', payload });
    return { status: response.statusCode, body: response.json<object>() };
  };
  expect(await tell({ request_id: 'r1', label: 'big' })).toEqual({
    status: 202,
    body: { request_id: 'r1', row: 0, accepted: true },
  });
  expect(await tell({ request_id: 'r2', row: 3, label: 1 })).toMatchObject({ status: 202 });
  expect(opened.log.truths).toEqual([
    { requestId: 'r1', row: 0, label: 'big' },
    { requestId: 'r2', row: 3, label: 1 },
  ]);
  expect(await tell({ label: 'big' })).toMatchObject({
    status: 422,
    body: { errors: [{ field: 'request_id' }] },
  });
  opened.log.full = true;
  expect(await tell({ request_id: 'r1', label: 'big' })).toMatchObject({ status: 503 });
});

it('answers 404 in the same form for what is not there', async () => {
  expect(await get('/predictions')).toMatchObject({
    status: 404,
    body: { type: 'urn:retrain:problem:no-route', detail: expect.stringContaining('GET /docs') as string },
  });
});

it.each<[string, string, string]>([
  ['GET', '/predict', 'POST'],
  ['OPTIONS', '/predict', 'POST'],
  ['DELETE', '/health', 'GET, HEAD'],
  ['PUT', '/v2/models/sizes/infer?x=1', 'POST'],
])('answers 405 to %s %s, and says that it takes %s', async (method, url, allow) => {
  const response = await opened.app.inject({ method: method as 'GET', url });
  expect(response.statusCode).toBe(405);
  expect(response.headers['allow']).toBe(allow);
  expect(response.json()).toMatchObject({ type: 'urn:retrain:problem:method', status: 405 });
});

it('gives a body that can be tried as it is, in each protocol', async () => {
  const { body } = await get('/openapi.json');
  const paths = body['paths'] as Record<
    string,
    { post: { requestBody: { content: Record<string, { example: unknown }> } } }
  >;
  for (const [path, type, url] of [
    ['/invocations', 'application/json', '/invocations'],
    ['/invocations', 'text/csv', '/invocations'],
    ['/v2/models/{name}/infer', 'application/json', '/v2/models/sizes/infer'],
  ] as const) {
    const example = paths[path]?.post.requestBody.content[type]?.example;
    const payload = typeof example === 'string' ? example : JSON.stringify(example);
    const said = await opened.app.inject({ method: 'POST', url, headers: { 'content-type': type }, payload });
    expect([path, type, said.statusCode]).toEqual([path, type, 200]);
  }
});

it('documents every route, and the row as the model in production has it', async () => {
  const { body } = await get('/openapi.json');
  const paths = body['paths'] as Record<
    string,
    Record<string, { requestBody?: { content: Record<string, { schema: { anyOf: unknown[] } }> } }>
  >;
  expect(body['openapi']).toBe('3.1.0');
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining([
      '/',
      '/health',
      '/live',
      '/ready',
      '/model/info',
      '/predict',
      '/invocations',
      '/feedback',
      '/metrics',
      '/v2/models/{name}/infer',
      '/v2/models/{name}/versions/{version}/infer',
    ]),
  );
  expect(paths['/predict']?.['post']?.requestBody?.content['application/json']?.schema.anyOf[0]).toEqual({
    type: 'object',
    properties: {
      size: { type: 'number', minimum: -FLOAT32_MAX, maximum: FLOAT32_MAX },
      colour: {
        ...{ type: ['string', 'integer', 'null'], description: 'Trained on: red, blue' },
        ...{ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
      },
    },
    required: ['size'],
    additionalProperties: false,
    examples: [{ size: 1, colour: 'red' }],
  });
  expect(paths['/invocations']?.['post']?.requestBody?.content['text/csv']?.schema).toMatchObject({
    type: 'string',
  });
});

it('has pages that need nothing from elsewhere, and may do nothing elsewhere', async () => {
  const page = await opened.app.inject('/docs/');
  const html = page.statusCode === 200 ? page : await opened.app.inject('/docs');
  expect(html.statusCode).toBe(200);
  expect(html.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
  expect(html.body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  const scripts = [...html.body.matchAll(/src="([^"]+)"/g)].map(
    ([, src]) => new URL(src ?? '', 'http://localhost/docs/').pathname,
  );
  expect(scripts.length).toBeGreaterThan(1);
  for (const script of scripts)
    expect({ script, status: (await opened.app.inject(script)).statusCode }).toEqual({ script, status: 200 });
  expect((await opened.app.inject('/docs/static/swagger-initializer.js')).body).toContain('/openapi.json');
});
