import { z } from 'zod';
import { createMlflow } from '../../../integrations/mlflow/client';
import { MlflowError } from '../../../integrations/mlflow/errors';
import { mlflowSettings } from '../../../integrations/mlflow/settings';
import { plainExchange } from '../../../integrations/mlflow/plain-exchange';
import { MlflowTransport } from '../../../integrations/mlflow/transport';
import { undiciExchange } from '../../../integrations/mlflow/undici-exchange';
import {
  cutOff,
  json,
  page,
  reset,
  scriptedServer,
  type ScriptedServer,
  silent,
  stalled,
} from './scripted-server';

const Reply = z.looseObject({ value: z.number() });
const QUICK = { attempts: 3, firstWaitMs: 1, longestWaitMs: 2_000 };
const SHORT = { connectMs: 1_000, headersMs: 150, bodyMs: 150 };

/** One suite against both HTTP clients. */
describe.each([
  ['undici', undiciExchange],
  ['node:http', plainExchange],
])('MLflow over %s', (_name, exchange) => {
  let server: ScriptedServer;
  let transport: MlflowTransport;

  beforeAll(async () => {
    server = await scriptedServer();
    const env = { MLFLOW_TRACKING_URI: server.uri.replace('//', '//ann:s3cret@') };
    transport = new MlflowTransport(mlflowSettings(env), exchange(SHORT), QUICK);
  });

  afterAll(async () => {
    await transport.close();
    await server.close();
  });

  const ask = (): Promise<{ value: number }> => transport.get('thing', { name: 'a b' }, Reply);
  const failure = async (work: Promise<unknown> = ask()): Promise<MlflowError> => {
    const caught = await work.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(caught).toBeInstanceOf(MlflowError);
    return caught as MlflowError;
  };

  test('a request carries its query, its body and the credentials of the URI', async () => {
    server.script(json(200, { value: 1 }));
    await ask();
    await transport.post('thing', { größe: 1 }, Reply);
    expect(server.requests).toEqual(['GET /api/2.0/mlflow/thing?name=a+b', 'POST /api/2.0/mlflow/thing']);
    expect(server.bodies[1]).toBe('{"größe":1}');
    const basic = Buffer.from('ann:s3cret').toString('base64');
    expect(server.headers.map(({ authorization }) => authorization)).toEqual([
      `Basic ${basic}`,
      `Basic ${basic}`,
    ]);
  });

  test('two 500s and then an answer: the answer', async () => {
    server.script(json(500, {}), json(500, {}), json(200, { value: 7 }));
    expect((await ask()).value).toBe(7);
    expect(server.requests).toHaveLength(3);
  });

  test('a 429 is repeated no sooner than its Retry-After', async () => {
    server.script(json(429, {}, { 'retry-after': '1' }), json(200, { value: 7 }));
    const start = performance.now();
    expect((await ask()).value).toBe(7);
    expect(performance.now() - start).toBeGreaterThanOrEqual(990);
  });

  test('a Retry-After beyond our patience ends it at once, and is handed on', async () => {
    server.script(
      json(429, { error_code: 'REQUEST_LIMIT_EXCEEDED', message: 'slow down' }, { 'retry-after': '60' }),
    );
    const error = await failure();
    expect(error).toMatchObject({ code: 'MLFLOW_BUSY', retryable: true, status: 429, retryAfterMs: 60_000 });
    expect(server.requests).toHaveLength(1);
  });

  test('a server that stays broken is MLFLOW_BUSY after the last attempt, with URL, status and its words', async () => {
    server.script(
      json(503, { error_code: 'TEMPORARILY_UNAVAILABLE', message: 'database is locked\nTraceback …' }),
    );
    const error = await failure();
    expect(error.message).toBe(
      `GET ${server.uri}/api/2.0/mlflow/thing: MLflow answered 503 (database is locked); look at the server’s log`,
    );
    expect(error).toMatchObject({ code: 'MLFLOW_BUSY', serverCode: 'TEMPORARILY_UNAVAILABLE' });
    expect(server.requests).toHaveLength(QUICK.attempts);
  });

  test.each([
    ['cuts the connection', reset],
    ['never answers', silent],
    ['stalls within the body', stalled],
    ['cuts the body off', cutOff(200, '{"value": ')],
  ])('a server that %s is tried again, then MLFLOW_UNREACHABLE', async (_what, act) => {
    server.script(act, json(200, { value: 7 }));
    expect((await ask()).value).toBe(7);
    server.script(act);
    const error = await failure();
    expect(error).toMatchObject({ code: 'MLFLOW_UNREACHABLE', retryable: true, status: undefined });
    expect(error.message).toContain('retrain up');
    expect(server.requests).toHaveLength(QUICK.attempts);
  });

  test('JSON that ends in the middle is tried again, then MLFLOW_BUSY', async () => {
    const half = (response: Parameters<typeof reset>[0]): void => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"value": ');
    };
    server.script(half, json(200, { value: 7 }));
    expect((await ask()).value).toBe(7);
    server.script(half);
    expect(await failure()).toMatchObject({ code: 'MLFLOW_BUSY', status: 200 });
  });

  test('401 is not repeated and names the variables to check', async () => {
    server.script(
      page(401, '<html><title>x</title><body><h1>You are not\n authenticated.</h1></body></html>'),
    );
    const error = await failure();
    expect(error.message).toBe(
      `GET ${server.uri}/api/2.0/mlflow/thing: MLflow answered 401 (You are not authenticated.); check MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD or MLFLOW_TRACKING_TOKEN`,
    );
    expect(error).toMatchObject({ code: 'MLFLOW_REFUSED', retryable: false });
    expect(server.requests).toHaveLength(1);
  });

  test('403 for the Host header names the server’s option', async () => {
    server.script(page(403, 'Invalid Host header - possible DNS rebinding attack detected'));
    expect((await failure()).message).toContain('--allowed-hosts');
  });

  test.each([
    ['a page of another program', page(200, '<html>hello</html>'), 'expected JSON, got text/html'],
    ['a 404 of another program', page(404, '<h1>Not Found</h1>'), 'address of an MLflow server'],
    ['JSON of another program', json(200, { hello: 1 }), 'unexpected shape (value:'],
  ])('%s is refused at once', async (_what, act, words) => {
    server.script(act);
    const error = await failure();
    expect(error).toMatchObject({ code: 'MLFLOW_REFUSED', retryable: false });
    expect(error.message).toContain(words);
    expect(server.requests).toHaveLength(1);
  });

  test('what does not exist is NOT_FOUND', async () => {
    server.script(json(404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'Run with id=x not found' }));
    expect(await failure()).toMatchObject({ code: 'NOT_FOUND', status: 404 });
  });

  test('two writers that met in the server’s database are told to try again', async () => {
    const message = '(sqlite3.IntegrityError) UNIQUE constraint failed: params.key, params.run_uuid';
    server.script(json(400, { error_code: 'BAD_REQUEST', message }), json(200, { value: 7 }));
    expect((await ask()).value).toBe(7);
  });

  test('an abort ends a wait and a request, with the signal’s own reason', async () => {
    const reason = new Error('the activity was cancelled');
    for (const act of [silent, stalled, json(429, {}, { 'retry-after': '2' })]) {
      server.script(act);
      const controller = new AbortController();
      setTimeout(() => controller.abort(reason), 40);
      const asking = transport.get('thing', {}, Reply, { signal: controller.signal });
      await expect(asking).rejects.toBe(reason);
    }
    await expect(transport.get('thing', {}, Reply, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
  });

  test('a server that is not there is MLFLOW_UNREACHABLE', async () => {
    const gone = await scriptedServer();
    await gone.close();
    const lost = new MlflowTransport(
      mlflowSettings({ MLFLOW_TRACKING_URI: gone.uri }),
      exchange(SHORT),
      QUICK,
    );
    const error = await failure(lost.get('thing', {}, Reply));
    expect(error.code).toBe('MLFLOW_UNREACHABLE');
    expect(error.message).toMatch(
      /^no MLflow server answers at http:\/\/127\.0\.0\.1:\d+ \(.*ECONNREFUSED.*\); start one with `retrain up`, or correct MLFLOW_TRACKING_URI$/,
    );
    await lost.close();
  });

  test('no error shows the password, neither in its message nor when it is printed whole', async () => {
    const { inspect } = await import('node:util');
    for (const act of [reset, json(401, {}), json(500, {}), page(200, '<html>')]) {
      server.script(act);
      const error = await failure();
      expect(`${error.message}${inspect(error, { depth: 9 })}${JSON.stringify(error)}`).not.toMatch(
        /s3cret|Basic /,
      );
    }
  });

  test('a download starts over when the connection breaks, and is never short', async () => {
    const mlflow = createMlflow(mlflowSettings({ MLFLOW_TRACKING_URI: server.uri }), {
      exchange: exchange(SHORT),
      rule: QUICK,
    });
    server.script(cutOff(200, '0123456'), (response) => response.writeHead(200).end('0123456789'));
    const bytes = await mlflow.artifacts.downloadBytes('mlflow-artifacts:/1/r/artifacts', 'a/b c.txt');
    expect(Buffer.from(bytes).toString()).toBe('0123456789');
    expect(server.requests[0]).toBe('GET /api/2.0/mlflow-artifacts/artifacts/1/r/artifacts/a/b%20c.txt');
    await mlflow.close();
  });
});
