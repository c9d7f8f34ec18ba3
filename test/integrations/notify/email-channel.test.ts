import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { emailChannel } from '../../../integrations/notify/email-channel';
import { Secret } from '../../../integrations/files/secret';
import { notice } from './notice';

const never = new AbortController().signal;
const PASSWORD = 'p@ss/wörd';

interface Mail {
  from: string;
  to: string[];
  source: string;
}

interface Smtp {
  port: number;
  mails: Mail[];
  close(): Promise<void>;
}

async function smtpServer(options: SMTPServerOptions = {}): Promise<Smtp> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: (auth, _session, callback) =>
      auth.username === 'ops' && auth.password === PASSWORD
        ? callback(null, { user: 'ops' })
        : callback(new Error(`Invalid username or password: ${auth.password ?? ''}`)),
    onData: (stream, session, callback) => {
      void text(stream).then((source) => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          source,
        });
        callback();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

function channel(
  port: number,
  password = PASSWORD,
  to = ['a@example.org', 'b@example.org'],
): ReturnType<typeof emailChannel> {
  const smtp = new Secret(`smtp://ops:${encodeURIComponent(password)}@127.0.0.1:${port}`);
  return emailChannel({ smtp, to, from: 'retrain <retrain@example.org>' });
}

/** Quoted-printable, of ASCII text. */
function decoded(body: string): string {
  return body
    .replaceAll('=\n', '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

test('the mail arrives at every address, with the title as subject and all that matters in plain text', async () => {
  const server = await smtpServer();
  await channel(server.port).send(notice(), never);
  await server.close();
  const [mail] = server.mails;
  expect(mail).toMatchObject({ from: 'retrain@example.org', to: ['a@example.org', 'b@example.org'] });
  const source = (mail?.source ?? '').replaceAll('\r\n', '\n');
  expect(source).toContain('Subject: [retrain] iris-classifier v4 is in production\n');
  expect(source).toContain('Auto-Submitted: auto-generated\n');
  expect(source).toContain('Date: Sat, 31 Jan 2026 03:00:00 +0000\n');
  expect(decoded(source.slice(source.indexOf('\n\n') + 2))).toBe(
    `iris-classifier v4 is in production

Its accuracy is 0.9667, v3 has 0.9333.

accuracy  0.9667
f1_score  0.9666

Temporal  http://127.0.0.1:8233/wf?a=1&b=2
MLflow    http://127.0.0.1:5000/#/experiments/1

Workflow train-iris-classifier-0123456789abcdef, key 0123456789ab, 2026-01-31T03:00:00.000Z
`,
  );
});

test('a second attempt has the same Message-ID, another notice another one', async () => {
  const server = await smtpServer();
  await channel(server.port).send(notice(), never);
  await channel(server.port).send(notice(), never);
  await channel(server.port).send(notice({ id: 'run-2-promotion' }), never);
  await server.close();
  const ids = server.mails.map(({ source }) => /^Message-ID: (.*)\r$/m.exec(source)?.[1]);
  expect(ids[0]).toMatch(/^<retrain-[0-9a-f]{32}@example\.org>$/);
  expect(ids[1]).toBe(ids[0]);
  expect(ids[2]).not.toBe(ids[0]);
});

test('a title with line feeds cannot add headers', async () => {
  const server = await smtpServer();
  await channel(server.port).send(notice({ title: 'failed\r\nBcc: evil@example.org' }), never);
  await server.close();
  expect(server.mails[0]?.to).not.toContain('evil@example.org');
  expect(server.mails[0]?.source.split('\r\n\r\n')[0]).not.toMatch(/^Bcc:/m);
});

test('a wrong password is refused for good, and shows in no message', async () => {
  const server = await smtpServer();
  const error = (await channel(server.port, 'wr0ng-p@ss')
    .send(notice(), never)
    .catch((caught: unknown) => caught)) as Error;
  await server.close();
  expect(error).toMatchObject({ code: 'NOTIFIER_REFUSED', retryable: false });
  expect(error.message).toMatch(/^email: 127\.0\.0\.1:\d+ did not take the notice \(.*\); check SMTP_URL/);
  expect(error.message).not.toContain('wr0ng');
  expect(error.cause).toBeUndefined();
});

test('a server that is busy (4xx) or down may be tried again', async () => {
  const busy = Object.assign(new Error('try later'), { responseCode: 451 });
  const server = await smtpServer({ onMailFrom: (_address, _session, callback) => callback(busy) });
  await expect(channel(server.port).send(notice(), never)).rejects.toMatchObject({
    code: 'NOTIFIER_FAILED',
    retryable: true,
  });
  await server.close();
  await expect(channel(server.port).send(notice(), never)).rejects.toMatchObject({
    code: 'NOTIFIER_FAILED',
    retryable: true,
  });
});

test('an address that the server refuses is named, and not retried to the ones that had the mail', async () => {
  const unknown = Object.assign(new Error('no such user'), { responseCode: 550 });
  const server = await smtpServer({
    onRcptTo: ({ address }, _session, callback) => callback(address.startsWith('b@') ? unknown : null),
  });
  await expect(channel(server.port).send(notice(), never)).rejects.toMatchObject({
    code: 'NOTIFIER_REFUSED',
    message: 'email: the server refused b@example.org and took the other addresses; check RETRAIN_EMAIL_TO',
  });
  await server.close();
  expect(server.mails.map(({ to }) => to)).toEqual([['a@example.org']]);
});

test('an abort ends the wait with the signal’s own reason', async () => {
  const server = await smtpServer({ onMailFrom: () => undefined });
  const controller = new AbortController();
  const reason = new Error('the activity was cancelled');
  setTimeout(() => controller.abort(reason), 50);
  await expect(channel(server.port).send(notice(), controller.signal)).rejects.toBe(reason);
  await server.close();
});
