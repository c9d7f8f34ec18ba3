import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Browser, type Page } from 'playwright-core';
import { Client, Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { launchBrowser } from '../../tools/browser';
import { sleep } from './test-project';

jest.setTimeout(120_000);

const UI = process.env['RETRAIN_TEST_TEMPORAL_UI'] ?? '';

/** What starts a workflow, for the UI's API as for the server's own. */
const START = (queue: string): string =>
  JSON.stringify({ workflowType: { name: 'trainingPipeline' }, taskQueue: { name: queue } });

describe('a page of a stranger in the browser of somebody who runs the stack', () => {
  const queue = `nobody-${randomUUID()}`;
  let connection: Connection | undefined;
  let client: Client;
  let strange: Server;
  let browser: Browser | undefined;
  let url: string;

  beforeAll(async () => {
    strange = createServer((_request, answer) => {
      answer.writeHead(200, { 'content-type': 'text/html' }).end('<title>kittens</title>');
    });
    await new Promise<void>((resolve) => strange.listen(0, '127.0.0.1', resolve));
    url = `http://localhost:${(strange.address() as AddressInfo).port}/`;
    browser = await launchBrowser();
    connection = await Connection.connect({
      address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '',
    });
    client = new Client({ connection });
  });
  afterAll(async () => {
    await browser?.close();
    await connection?.close();
    strange.close();
  });

  test('starts no workflow by way of the Web UI, and cannot embed it', async () => {
    const page = await pageOf(browser);
    await page.goto(url);
    const asked = await page.evaluate(
      async ({ ui, body }) => {
        const post = async (mode: 'no-cors' | 'cors'): Promise<string> => {
          const target = `${ui}/api/v1/namespaces/default/workflows/strange-page`;
          const headers = { 'content-type': 'text/plain' };
          return fetch(target, { method: 'POST', mode, headers, body }).then(
            ({ type, status }) => `${type} ${status}`,
            () => 'refused',
          );
        };
        return [await post('no-cors'), await post('cors')];
      },
      { ui: UI, body: START(queue) },
    );
    // Of a request in the mode no-cors the page never learns what came of it.
    expect(asked).toEqual(['opaque 0', 'refused']);
    await expect(client.workflow.getHandle('strange-page').describe()).rejects.toThrow(/not found/);
    await page.setContent(`<iframe src="${UI}/namespaces"></iframe>`);
    await page.waitForLoadState('networkidle');
    const embedded = page.frames().find((frame) => frame.url().startsWith(UI));
    expect(await embedded?.content()).toContain('does not answer, as another page embeds it');
  });

  test('starts none at any port that the server listens on', async () => {
    const answers = await Promise.all(
      portsOf(Number(process.env['RETRAIN_TEST_TEMPORAL_PID'])).map(async ({ host, port }) => {
        const answer = await fetch(
          `http://${host}:${port}/api/v1/namespaces/default/workflows/strange-port`,
          {
            method: 'POST',
            headers: { 'content-type': 'text/plain', origin: url },
            body: START(queue),
          },
        ).catch(() => undefined);
        return { host, status: answer?.status ?? 0 };
      }),
    );
    // The server's HTTP API, which it has on a port of its own choice, answers to no name that a page can have.
    expect(answers).toContainEqual({ host: '127.0.0.1', status: 403 });
    // The UI itself is at an address that no page can guess.
    expect(answers.filter(({ host, status }) => host === '127.0.0.1' && status === 200)).toEqual([]);
    await expect(client.workflow.getHandle('strange-port').describe()).rejects.toThrow(/not found/);
  });

  test('is no hindrance to the one who starts a workflow in the UI itself', async () => {
    const page = await pageOf(browser);
    const query = new URLSearchParams({
      workflowId: `own-page-${queue}`,
      taskQueue: queue,
      workflowType: 'trainingPipeline',
    });
    await page.goto(`${UI}/namespaces/default/workflows/start-workflow?${query.toString()}`);
    await page.getByTestId('start-workflow-button').click();
    const handle = client.workflow.getHandle(`own-page-${queue}`);
    let type: string | undefined;
    while (type === undefined) {
      await sleep(50);
      type = await handle.describe().then(
        (described) => described.type,
        () => undefined,
      );
    }
    expect(type).toBe('trainingPipeline');
    await handle.terminate();
  });
});

function pageOf(browser: Browser | undefined): Promise<Page> {
  if (browser === undefined) throw new Error('there is no browser');
  return browser.newPage();
}

/** Where a process listens. */
function portsOf(pid: number): { host: string; port: number }[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? ''];
      } catch {
        return [];
      }
    }),
  );
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode = '']) => state === '0A' && sockets.has(inode))
    .map(([, local = '']) => {
      const [address = '', port = ''] = local.split(':');
      const host = (address.match(/../g) ?? []).reverse().map((byte) => parseInt(byte, 16));
      return { host: host.join('.'), port: parseInt(port, 16) };
    });
}
