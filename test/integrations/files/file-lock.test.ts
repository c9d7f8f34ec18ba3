import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFile, withFileLock } from '../../../integrations/files/file-lock';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'file-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Another program that holds the lock until it is killed. */
const HOLD = `
import fcntl, sys, time
lock = open(sys.argv[1], 'a+')
fcntl.flock(lock, fcntl.LOCK_EX)
print('held', flush=True)
time.sleep(600)
`;

test('another program that holds the lock is waited for, and its death gives the lock back', async () => {
  const lock = join(dir, 'lock');
  const holder = spawn('python3', ['-c', HOLD, lock], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  await expect(lockFile(lock, { timeoutMs: 0 })).rejects.toMatchObject({ code: 'WORKSPACE_BUSY' });
  const done = withFileLock(lock, { onWait: () => void holder.kill('SIGKILL') }, async () => 'done');
  await expect(done).resolves.toBe('done');
});

test('whoever waits is told the process that holds it', async () => {
  const lock = join(dir, 'lock');
  const release = await lockFile(lock);
  let told = '';
  const onWait = (holder: string): void => {
    told = holder;
    void release();
  };
  await withFileLock(lock, { onWait }, async () => undefined);
  expect(told).toBe(`process ${process.pid}`);
});

test('the lock is free again after the work has failed', async () => {
  const lock = join(dir, 'lock');
  await expect(withFileLock(lock, {}, () => Promise.reject(new Error('x')))).rejects.toThrow('x');
  await expect(withFileLock(lock, { timeoutMs: 0 }, async () => 'free')).resolves.toBe('free');
});

test('no two work at the same time', async () => {
  const lock = join(dir, 'lock');
  let atWork = 0;
  let most = 0;
  const one = (): Promise<void> =>
    withFileLock(lock, {}, async () => {
      most = Math.max(most, (atWork += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      atWork -= 1;
    });
  await Promise.all(Array.from({ length: 8 }, one));
  expect(most).toBe(1);
});

test('an abort ends the wait', async () => {
  const lock = join(dir, 'lock');
  const release = await lockFile(lock);
  const controller = new AbortController();
  const waiting = lockFile(lock, { signal: controller.signal, onWait: () => controller.abort() });
  await expect(waiting).rejects.toThrow('aborted');
  await release();
});
