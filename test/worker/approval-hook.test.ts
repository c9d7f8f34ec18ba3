import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { RetrainError } from '../../contracts/errors';
import { type HandAnswer } from '../../contracts/steward';
import { approvalSettings } from '../../integrations/notify/approval-settings';
import { openApprovalHook, type ApprovalHook, type SignedAnswer } from '../../worker/approval-hook';

const SECRET = `whsec_${Buffer.from('a key of thirty-two bytes or more').toString('base64')}`;
const quiet = { info: () => undefined, warn: () => undefined };

const BODY: SignedAnswer = { model: 'iris', version: '3', decision: 'approve', by: 'ann', reason: 'better' };

const taken: SignedAnswer[] = [];
let refuse: RetrainError | null = null;
let hook: ApprovalHook;
let clock = Date.now();

beforeAll(async () => {
  const settings = approvalSettings({
    ...{ RETRAIN_APPROVAL_SECRET: SECRET, RETRAIN_APPROVAL_ADDRESS: '127.0.0.1:0' },
  });
  hook = await openApprovalHook(
    settings!,
    async (answer) => {
      if (refuse !== null) throw refuse;
      taken.push(answer);
      return Promise.resolve({ entry: { index: taken.length } } as HandAnswer);
    },
    quiet,
    () => clock,
  );
});
afterAll(() => hook.close());
beforeEach(() => {
  taken.length = 0;
  refuse = null;
  clock = Date.now();
});

/** Signed by another implementation than ours. */
function signed(body: string, secret = SECRET, at = new Date()): Record<string, string> {
  const id = randomUUID();
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}

async function post(
  body: string | Buffer,
  headers: Record<string, string>,
  url = hook.url,
): Promise<{ status: number; code?: string; message?: string; text: string }> {
  const response = await fetch(url, { method: 'POST', body: new Uint8Array(Buffer.from(body)), headers });
  const text = await response.text();
  const { error } = JSON.parse(text) as { error?: { code: string; message: string } };
  return { status: response.status, text, ...error };
}

test('what a Standard Webhooks library signs is taken, word for word', async () => {
  const body = JSON.stringify(BODY);
  expect(await post(body, signed(body))).toMatchObject({ status: 200 });
  expect(taken).toEqual([BODY]);
});

test('whatever is wrong with a signature, the answer is one and the same', async () => {
  const body = JSON.stringify(BODY);
  const good = signed(body);
  const mac = good['webhook-signature'] ?? '';
  const forged: Record<string, string>[] = [
    {},
    { ...good, 'webhook-id': 'another' },
    { ...good, 'webhook-timestamp': String(Number(good['webhook-timestamp']) + 1) },
    { ...good, 'webhook-timestamp': 'now' },
    { ...good, 'webhook-signature': mac.slice(0, -4) },
    { ...good, 'webhook-signature': mac.replace('v1,', 'v2,') },
    { ...good, 'webhook-signature': 'v1,' },
    { ...good, 'webhook-signature': 'v1,'.repeat(2000) },
    signed(body, `whsec_${Buffer.from('another key').toString('base64')}`),
  ];
  const answers = await Promise.all(forged.map((headers) => post(body, headers)));
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(
    new Set(['403 {"error":{"code":"FORBIDDEN","message":"the signature does not hold"}}']),
  );
  const changed = await post(JSON.stringify({ ...BODY, version: '4' }), good);
  expect(changed).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  // Nor does it tell whether the body would have been good.
  expect((await post('{', signed(body))).text).toBe(changed.text);
  expect(taken).toEqual([]);
});

test('after five minutes, or ahead of time, it no longer holds', async () => {
  const body = JSON.stringify(BODY);
  for (const minutes of [-6, 6]) {
    clock = Date.now() + minutes * 60_000;
    expect(await post(body, signed(body))).toMatchObject({ status: 403, code: 'EXPIRED' });
  }
  clock = Date.now() + 4 * 60_000;
  expect(await post(body, signed(body))).toMatchObject({ status: 200 });
});

test('a signed body that makes no sense is told what is wrong', async () => {
  const bodies = [
    '{',
    '[]',
    JSON.stringify({ ...BODY, decision: 'promote' }),
    JSON.stringify({ ...BODY, version: '3; drop' }),
    JSON.stringify({ ...BODY, model: '../x' }),
    JSON.stringify({ ...BODY, by: ' ' }),
    JSON.stringify({ ...BODY, reason: 'r'.repeat(1001) }),
    JSON.stringify({ ...BODY, force: true }),
  ];
  for (const body of bodies)
    expect(await post(body, signed(body))).toMatchObject({ status: 400, code: 'USAGE' });
  expect(taken).toEqual([]);
});

test('what the steward refuses has its code, and a status of its own', async () => {
  const body = JSON.stringify(BODY);
  const cases = [
    ['NOT_PENDING', 409],
    ['APPROVAL_STALE', 409],
    ['NOT_AN_APPROVER', 403],
    ['TEMPORAL_UNREACHABLE', 503],
    ['VERIFICATION_FAILED', 500],
  ] as const;
  for (const [code, status] of cases) {
    refuse = new RetrainError(code, 'so it is');
    expect(await post(body, signed(body))).toMatchObject({ status, code, message: 'so it is' });
  }
});

test('bodies are bounded, with and without a length that says so; other paths and methods are nothing', async () => {
  const large = Buffer.alloc(16 * 1024 + 1, 0x20);
  expect(await post(large, signed(large.toString()))).toMatchObject({ status: 413 });
  expect(await chunked(200_000)).toMatch(/^HTTP\/1\.1 413 /);
  expect(await post('{}', {}, hook.url.replace('/v1/answers', '/'))).toMatchObject({ status: 404 });
  expect((await fetch(hook.url)).status).toBe(405);
  expect(taken).toEqual([]);
});

/** Sends a body that does not say how long it is. */
function chunked(bytes: number): Promise<string> {
  const { hostname, port } = new URL(hook.url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let said = '';
    socket.on('data', (data: Buffer) => (said += data.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(said));
    socket.write('POST /v1/answers HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
    socket.write(`${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`);
  });
}

test('an address that is taken is said, and what to set', async () => {
  const { port } = new URL(hook.url);
  const settings = approvalSettings({
    ...{ RETRAIN_APPROVAL_SECRET: SECRET, RETRAIN_APPROVAL_ADDRESS: `127.0.0.1:${port}` },
  });
  await expect(openApprovalHook(settings!, () => Promise.reject(new Error()), quiet)).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringContaining('RETRAIN_APPROVAL_ADDRESS') as string,
  });
});

describe('the settings', () => {
  test('without a secret nothing listens; with one, on loopback', () => {
    expect(approvalSettings({})).toBeNull();
    expect(approvalSettings({ RETRAIN_APPROVAL_SECRET: SECRET })).toMatchObject({
      ...{ host: '127.0.0.1', port: 8266 },
    });
    const v6 = { RETRAIN_APPROVAL_SECRET: SECRET, RETRAIN_APPROVAL_ADDRESS: '[::1]:9000' };
    expect(approvalSettings(v6)).toMatchObject({ host: '::1', port: 9000 });
  });

  test('a secret that is short, torn or known to the receivers of notices is refused, and never shown', () => {
    const cases: Record<string, string>[] = [
      { RETRAIN_APPROVAL_SECRET: 'hunter2hunter2hunter2' },
      { RETRAIN_APPROVAL_SECRET: 'whsec_not base64 at all, and long enough' },
      { RETRAIN_APPROVAL_SECRET: SECRET, RETRAIN_WEBHOOK_SECRET: SECRET },
      { RETRAIN_APPROVAL_SECRET: SECRET, RETRAIN_APPROVAL_ADDRESS: '8266' },
      { RETRAIN_APPROVAL_SECRET: SECRET, RETRAIN_APPROVAL_ADDRESS: 'host:99999' },
    ];
    for (const env of cases) {
      let message = '';
      try {
        approvalSettings(env);
      } catch (error) {
        message = String(error);
      }
      expect(message).toMatch(/RETRAIN_APPROVAL_/);
      expect(message).not.toContain(env['RETRAIN_APPROVAL_SECRET']);
    }
    expect(JSON.stringify(approvalSettings({ RETRAIN_APPROVAL_SECRET: SECRET }))).not.toContain(SECRET);
  });
});
