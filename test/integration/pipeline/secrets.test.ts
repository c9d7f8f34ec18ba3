import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { TestProject, sleep, type WorkerProcess } from './test-project';

jest.setTimeout(180_000);

/** Credentials that cannot be mistaken for anything else, in every place where the product reads one. */
const SECRETS = {
  password: 'SECRET-mlflow-password-9f31',
  user: 'SECRET-mlflow-user-77aa',
  webhook: 'SECRET-webhook-signing-key-e21b',
  slack: 'SECRET-slack-path-c04d',
  smtp: 'SECRET-smtp-password-5512',
  aws: 'SECRET-aws-key-8d3f',
};

interface Received {
  url: string;
  body: string;
}

async function receiver(received: Received[]): Promise<Server> {
  const server = createServer((request: IncomingMessage, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      received.push({ url: request.url ?? '', body });
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describe('a run with credentials everywhere', () => {
  const received: Received[] = [];
  let server: Server;
  let project: TestProject;
  let worker: WorkerProcess;
  let connection: Connection;
  let client: Client;

  beforeAll(async () => {
    server = await receiver(received);
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    project = new TestProject(
      {},
      {
        MLFLOW_TRACKING_USERNAME: SECRETS.user,
        MLFLOW_TRACKING_PASSWORD: SECRETS.password,
        SLACK_WEBHOOK_URL: `${base}/services/${SECRETS.slack}`,
        RETRAIN_WEBHOOK_URL: `${base}/hook`,
        RETRAIN_WEBHOOK_SECRET: SECRETS.webhook,
        // Nobody listens there: a notifier that is down.
        SMTP_URL: `smtp://user:${SECRETS.smtp}@127.0.0.1:9`,
        RETRAIN_EMAIL_TO: 'team@example.com',
        AWS_SECRET_ACCESS_KEY: SECRETS.aws,
        LOG_LEVEL: 'debug',
      },
    );
    worker = await project.startWorker();
    connection = await Connection.connect({ address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '' });
    client = new Client({ connection });
  });
  afterAll(async () => {
    await project.remove();
    await connection.close();
    server.close();
  });

  test('tells Slack and the webhook, and does not mind that mail is down', async () => {
    const { result, code } = await project.start('--wait');
    expect({ code, outcome: result?.outcome }).toEqual({ code: 0, outcome: 'promoted' });
    while (received.length < 2) await sleep(100);
    const hook = received.find(({ url }) => url === '/hook');
    expect(JSON.parse(hook?.body ?? '{}')).toMatchObject({
      specversion: '1.0',
      data: { kind: 'promotion', model: project.model, modelVersion: '1' },
    });
    expect(received.find(({ url }) => url.includes('services'))?.body).toContain('is in production');
  });

  test('tells when a run fails, with the reason', async () => {
    received.length = 0;
    const workflowId = `scheduled-${project.id}`;
    const failing = client.workflow.execute('trainingPipeline', {
      taskQueue: project.taskQueue,
      workflowId,
      args: [{ params: 'nowhere.yaml' }],
    });
    await expect(failing).rejects.toThrow();
    while (received.length < 2) await sleep(100);
    expect(received.every(({ body }) => body.includes('nowhere.yaml'))).toBe(true);
  });

  test('leaves no secret in a history, a log or a file', async () => {
    const texts = new Map<string, string>([['the worker’s log', worker.log]]);
    for await (const { workflowId, runId } of client.workflow.list({
      query: `TaskQueue = '${project.taskQueue}'`,
    })) {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      texts.set(workflowId, decoded(historyToJSON(history)));
    }
    expect(texts.size).toBeGreaterThan(2);
    const { stdout, stderr } = await project.cli(['start', '--json', '--force', '--wait']);
    texts.set('the command', stdout + stderr);
    for (const file of filesBelow(project.path('.retrain'))) texts.set(file, readFileSync(file, 'latin1'));
    for (const [where, text] of texts) {
      for (const secret of Object.values(SECRETS)) {
        expect({ where, found: text.includes(secret) ? secret : 'none' }).toEqual({ where, found: 'none' });
      }
    }
  });
});

/** A history with its base64 payloads made readable. */
function decoded(json: string): string {
  const payloads = [...json.matchAll(/"data": ?"([A-Za-z0-9+/=]+)"/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64').toString(),
  );
  return [json, ...payloads].join('\n');
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(dir, name))
    .filter((file) => statSync(file).isFile());
}
