import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { askHealth, complaintOf } from '../../integrations/files/health-report';
import { type HealthServer, serveHealth } from '../../worker/health';
import { healthChecks, type HealthSources } from '../../worker/health-checks';

const dir = mkdtempSync(path.join(tmpdir(), 'health-'));
const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function worker(sources: Partial<HealthSources> = {}): Promise<HealthServer> {
  const { checks, stop } = healthChecks({
    lastPoll: () => Promise.resolve(Date.now()),
    stageLoad: () => ({ threads: 2, busy: 1 }),
    folders: [dir],
    ...sources,
  });
  const server = await serveHealth({ host: '127.0.0.1', port: 0 }, checks);
  closing.push(() => server.close(), stop);
  return server;
}

async function statusOf({ url }: HealthServer, what: string, method = 'GET'): Promise<number> {
  const response = await fetch(`${url}${what}`, { method });
  await response.body?.cancel();
  return response.status;
}

describe('the health of a worker', () => {
  test('is good while it polls, has threads and room', async () => {
    const server = await worker();
    expect([await statusOf(server, '/live'), await statusOf(server, '/ready')]).toEqual([200, 200]);
    const report = await askHealth(server.url);
    expect(complaintOf(report)).toBe('');
    expect(report?.checks.stageThreads).toMatchObject({ note: '1 of 2 stage threads free' });
  });

  test.each([
    ['that the server has not seen poll', () => Promise.resolve(null), 'Temporal has not seen it poll'],
    ['whose last poll is long ago', () => Promise.resolve(Date.now() - 100_000), 'polled 100 s ago'],
    ['whose server is away', () => Promise.reject(new Error('connect ECONNREFUSED')), 'connect ECONNREFUSED'],
  ])('one %s lives, and is not ready', async (_what, lastPoll, complaint) => {
    const server = await worker({ lastPoll });
    expect([await statusOf(server, '/live'), await statusOf(server, '/ready')]).toEqual([200, 503]);
    expect(complaintOf(await askHealth(server.url))).toBe(complaint);
  });

  test('a main thread that was busy for long is seen', async () => {
    const server = await worker();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const until = performance.now() + 5500;
    while (performance.now() < until);
    expect(await statusOf(server, '/live')).toBe(503);
    expect(complaintOf(await askHealth(server.url))).toMatch(/^main thread busy for up to [5-9]\d\d\d ms/);
  });

  test('a folder that cannot be looked at makes it unready; one that is not there yet does not', async () => {
    const file = path.join(dir, 'file');
    writeFileSync(file, '');
    expect(await statusOf(await worker({ folders: [path.join(file, 'x')] }), '/ready')).toBe(503);
    expect(await statusOf(await worker({ folders: [path.join(dir, 'new', 'x')] }), '/ready')).toBe(200);
  });

  test('threads for files that are all stuck are seen', async () => {
    const server = await worker({ lookAtFile: () => new Promise(() => undefined) });
    const report = await askHealth(server.url);
    expect(report?.live).toBe(false);
    expect(complaintOf(report)).toBe('no thread for files came free in 3 s');
  });

  test('nothing else is answered', async () => {
    const server = await worker();
    expect([
      await statusOf(server, '/'),
      await statusOf(server, '/metrics'),
      await statusOf(server, '/live', 'POST'),
    ]).toEqual([404, 404, 404]);
    expect(await askHealth('http://127.0.0.1:9')).toBeNull();
  });
});
