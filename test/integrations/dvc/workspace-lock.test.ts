import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockFile } from '../../../integrations/files/file-lock';
import { withPathLocks, withWorkspaceLock } from '../../../integrations/dvc/workspace-lock';
import { dvc, dvcInit, judged } from './real-dvc';

let dir: string;
let dvcDir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lock-'));
  dvcDir = join(dir, '.dvc');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const pathLocks = () => JSON.parse(readFileSync(join(dvcDir, 'tmp/rwlock'), 'utf8')) as unknown;

test.each([{ hardlink: false }, { hardlink: true }])(
  'twenty who want the lock have it one after the other (%j)',
  async (options) => {
    let inside = 0;
    let most = 0;
    const waited: string[] = [];
    await Promise.all(
      Array.from({ length: 20 }, () =>
        withWorkspaceLock(dvcDir, { ...options, onWait: (holder) => waited.push(holder) }, async () => {
          most = Math.max(most, ++inside);
          await sleep(2);
          inside--;
        }),
      ),
    );
    expect(most).toBe(1);
    expect(waited.length).toBeGreaterThan(0);
    if (!options.hardlink) expect(waited).toContain(`process ${process.pid}`);
  },
);

test.each([{ hardlink: false }, { hardlink: true }])(
  'whoever waits too long is told for whom (%j)',
  async (options) => {
    const path = join(dir, 'lock');
    const release = await lockFile(path, options);
    await expect(lockFile(path, { ...options, timeoutMs: 0 })).rejects.toMatchObject({
      code: 'WORKSPACE_BUSY',
    });
    await release();
    await (
      await lockFile(path, { ...options, timeoutMs: 0 })
    )();
    expect(readdirSync(dir)).toEqual(options.hardlink ? [] : ['lock']);
  },
);

test('an abort ends the waiting', async () => {
  const release = await lockFile(join(dir, 'lock'));
  const signal = AbortSignal.timeout(20);
  await expect(lockFile(join(dir, 'lock'), { signal })).rejects.toThrow();
  await release();
});

test('the system gives back the lock of a process that was killed', async () => {
  const path = join(dir, 'lock');
  writeFileSync(path, '');
  const holder = spawn('flock', [path, 'sleep', '60'], { detached: true });
  while (
    await lockFile(path, { timeoutMs: 0 }).then(
      (release) => release().then(() => true),
      () => false,
    )
  ) {
    await sleep(5);
  }
  process.kill(-holder.pid!, 'SIGKILL');
  await (
    await lockFile(path)
  )();
});

test('readers share a path, a writer is alone, and other paths are free', async () => {
  const order: string[] = [];
  const locked = (holder: string, paths: { read: string[]; write: string[] }, ms: number) =>
    withPathLocks(dvcDir, paths, holder, {}, async () => {
      order.push(`${holder} in`);
      await sleep(ms);
      order.push(`${holder} out`);
    });
  const data = join(dir, 'data');
  const first = locked('reader 1', { read: [data], write: [] }, 300);
  while (order.length === 0) await sleep(5);
  await Promise.all([
    first,
    locked('reader 2', { read: [join(data, 'a.csv')], write: [] }, 1),
    locked('writer', { read: [], write: [join(data, 'b.csv')] }, 1),
    locked('other', { read: [], write: [join(dir, 'data2')] }, 1),
  ]);
  expect(order.indexOf('writer in')).toBeGreaterThan(order.indexOf('reader 1 out'));
  expect(order.indexOf('reader 2 in')).toBeLessThan(order.indexOf('reader 1 out'));
  expect(order.indexOf('other in')).toBeLessThan(order.indexOf('reader 1 out'));
  expect(pathLocks()).toEqual({ write: {}, read: {} });
});

test('who is blocked is told by whom, and locks of the dead do not count', async () => {
  const path = join(dir, 'model');
  await withPathLocks(dvcDir, { read: [], write: [path] }, 'the holder', {}, async () => {
    const blocked = withPathLocks(dvcDir, { read: [path], write: [] }, 'me', { timeoutMs: 0 }, async () => 0);
    await expect(blocked).rejects.toThrow(`${path} is in use by the holder (process ${process.pid})`);
  });
  writeFileSync(
    join(dvcDir, 'tmp/rwlock'),
    JSON.stringify({ write: { [path]: { pid: 99_999_999, cmd: 'dead' } }, read: {} }),
  );
  await withPathLocks(dvcDir, { read: [], write: [path] }, 'me', { timeoutMs: 0 }, async () => 0);
  writeFileSync(join(dvcDir, 'tmp/rwlock'), 'junk');
  await expect(withPathLocks(dvcDir, { read: [], write: [] }, 'me', {}, async () => 0)).rejects.toThrow(
    'is not readable as DVC’s path locks',
  );
});

judged(
  'dvc waits for us and then says so, and we wait for dvc',
  async () => {
    dvcInit(dir);
    writeFileSync(join(dir, 'a.csv'), '1\n');
    await withWorkspaceLock(dvcDir, {}, async () => {
      expect(() => dvc(dir, 'add', 'a.csv')).toThrow('Unable to acquire lock');
    });
    dvc(dir, 'add', '--quiet', 'a.csv');

    mkdirSync(join(dir, 'go'));
    const cmd = 'touch started; while [ ! -e go/now ]; do sleep 0.05; done; echo x > model';
    dvc(dir, 'stage', 'add', '--quiet', '-n', 'train', '-o', 'model', cmd);
    const repro = spawn(process.env.RETRAIN_TEST_DVC!, ['repro', '--quiet'], { cwd: dir, stdio: 'ignore' });
    const ended = new Promise((resolve) => repro.once('exit', resolve));
    while (!existsSync(join(dir, 'started'))) await sleep(20);
    // A command of dvc’s runs: the workspace is free, what it writes is not.
    await withWorkspaceLock(dvcDir, { timeoutMs: 0 }, async () => 0);
    let holder = '';
    const onWait = (by: string) => {
      holder = by;
      writeFileSync(join(dir, 'go/now'), '');
    };
    await withPathLocks(dvcDir, { read: [], write: [join(dir, 'model')] }, 'us', { onWait }, async () => 0);
    expect(holder).toContain(`repro --quiet (process ${repro.pid})`);
    expect(await ended).toBe(0);
  },
  120_000,
);
