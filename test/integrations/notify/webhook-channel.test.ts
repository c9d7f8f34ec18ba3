import { Webhook } from 'standardwebhooks';
import { Notice } from '../../../contracts/notice';
import { Secret } from '../../../integrations/files/secret';
import { webhookChannel } from '../../../integrations/notify/webhook-channel';
import { notice } from './notice';
import { receiver, type Receiver } from './receiver';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const never = new AbortController().signal;

describe('the signed webhook', () => {
  let server: Receiver;
  let answer: { status: number; body?: string };

  beforeAll(async () => {
    server = await receiver((response) => response.writeHead(answer.status).end(answer.body ?? ''));
  });
  beforeEach(() => {
    answer = { status: 204 };
    server.received.length = 0;
  });
  afterAll(() => server.close());

  const channel = (secret = SECRET): ReturnType<typeof webhookChannel> =>
    webhookChannel(new Secret(`${server.url}/hooks/s3cr3t-path?key=t0ken`), new Secret(secret));

  test('the Standard Webhooks reference library accepts the signature', async () => {
    await channel().send(notice({ title: 'über 雪' }), never);
    const [got] = server.received;
    expect(() =>
      new Webhook(SECRET).verify(got?.body ?? '', got?.headers as Record<string, string>),
    ).not.toThrow();
  });

  test('it refuses a changed body and another secret', async () => {
    await channel().send(notice(), never);
    const [got] = server.received;
    const headers = got?.headers as Record<string, string>;
    expect(() => new Webhook(SECRET).verify(`${got?.body ?? ''} `, headers)).toThrow('No matching signature');
    const other = `whsec_${Buffer.from('another secret').toString('base64')}`;
    expect(() => new Webhook(other).verify(got?.body ?? '', headers)).toThrow('No matching signature');
  });

  test('a secret without the prefix counts by its bytes', async () => {
    await channel('a plain passphrase, long enough').send(notice(), never);
    const [got] = server.received;
    const same = new Webhook(Buffer.from('a plain passphrase, long enough').toString('base64'));
    expect(() => same.verify(got?.body ?? '', got?.headers as Record<string, string>)).not.toThrow();
  });

  test('the body is a CloudEvents 1.0 event in structured JSON, with the notice as its data', async () => {
    await channel().send(notice(), never);
    const [got] = server.received;
    expect(got?.path).toBe('/hooks/s3cr3t-path?key=t0ken');
    expect(got?.headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    const event = JSON.parse(got?.body ?? '') as Record<string, unknown>;
    expect(event).toMatchObject({
      specversion: '1.0',
      id: 'run-1-promotion',
      source: '/retrain/models/iris-classifier',
      type: 'retrain.notice.promotion',
      subject: 'train-iris-classifier-0123456789abcdef',
      time: '2026-01-31T03:00:00.000Z',
      datacontenttype: 'application/json',
    });
    expect(Notice.parse(event['data'])).toEqual(notice());
  });

  test('a second attempt has the same id, so that a receiver can drop it', async () => {
    await channel().send(notice(), never);
    await channel().send(notice(), never);
    expect(server.received.map(({ headers }) => headers['webhook-id'])).toEqual([
      'run-1-promotion',
      'run-1-promotion',
    ]);
    const ids = server.received.map(({ body }) => (JSON.parse(body) as { id: string }).id);
    expect(new Set(ids).size).toBe(1);
  });

  test.each([408, 425, 429, 500, 503])('%i may pass: the error is retryable', async (status) => {
    answer = { status };
    await expect(channel().send(notice(), never)).rejects.toMatchObject({
      code: 'NOTIFIER_FAILED',
      retryable: true,
    });
  });

  test.each([301, 400, 401, 404, 410])('%i will not pass: the error is not retryable', async (status) => {
    answer = { status };
    await expect(channel().send(notice(), never)).rejects.toMatchObject({
      code: 'NOTIFIER_REFUSED',
      retryable: false,
    });
  });

  test('an error names the server and the variable, and neither path, query nor secret, even when the server repeats them', async () => {
    answer = { status: 400, body: `no such hook /hooks/s3cr3t-path?key=t0ken for ${SECRET}\nstack…` };
    const error = (await channel()
      .send(notice(), never)
      .catch((caught: unknown) => caught)) as Error;
    expect(error.message).toContain(server.url);
    expect(error.message).toContain('RETRAIN_WEBHOOK_URL');
    expect(error.message).not.toMatch(/s3cr3t|t0ken|whsec/);
    expect(error.message).not.toContain('\n');
  });

  test('a server that is down is a retryable error without the path', async () => {
    const gone = await receiver(() => undefined);
    await gone.close();
    const dead = webhookChannel(new Secret(`${gone.url}/s3cr3t-path`), new Secret(SECRET));
    const error = (await dead.send(notice(), never).catch((caught: unknown) => caught)) as Error;
    expect(error).toMatchObject({ code: 'NOTIFIER_FAILED', retryable: true });
    expect(error.message).toContain('ECONNREFUSED');
    expect(error.message).not.toContain('s3cr3t');
    expect(error.cause).toBeUndefined();
  });

  test('an abort ends a hanging request with the signal’s own reason', async () => {
    const hanging = await receiver(() => undefined);
    const controller = new AbortController();
    const sending = webhookChannel(new Secret(hanging.url), new Secret(SECRET)).send(
      notice(),
      controller.signal,
    );
    const reason = new Error('the activity was cancelled');
    setTimeout(() => controller.abort(reason), 50);
    await expect(sending).rejects.toBe(reason);
    await hanging.close();
  });
});
