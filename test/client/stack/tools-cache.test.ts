import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { withFileLock } from '../../../client/stack/file-lock';
import { installOnce, isInstalled, toolsCacheDir } from '../../../client/stack/tools-cache';

const cache = (): string => mkdtempSync(join(tmpdir(), 'retrain-cache-'));
const nobodyWaits = (): void => {
  throw new Error('nobody should have to wait');
};

describe('toolsCacheDir', () => {
  it.each([
    [{ RETRAIN_TOOLS_DIR: '/c', XDG_CACHE_HOME: '/x', HOME: '/h' }, '/c'],
    [{ XDG_CACHE_HOME: '/x', HOME: '/h' }, '/x/retrain'],
    [{ HOME: '/h' }, '/h/.cache/retrain'],
  ])('of %j is %s', (env, dir) => {
    expect(toolsCacheDir(env)).toBe(dir);
  });
});

describe('installOnce', () => {
  it('installs, and the second time does nothing', async () => {
    const dir = cache();
    const install = jest.fn(async (folder: string) => {
      writeFileSync(join(folder, 'tool'), 'x');
    });
    const folder = await installOnce(dir, 'tool-1', install, nobodyWaits);
    expect(await installOnce(dir, 'tool-1', install, nobodyWaits)).toBe(folder);
    expect(install).toHaveBeenCalledTimes(1);
    expect(readdirSync(dir)).toEqual(['tool-1']);
  });

  it('lets one of several set-ups work, and the others wait for it', async () => {
    const dir = cache();
    const waiting: string[] = [];
    let installs = 0;
    const one = (): Promise<string> =>
      installOnce(
        dir,
        'tool-1',
        async () => {
          installs += 1;
          await new Promise((resolve) => setTimeout(resolve, 300));
        },
        (holder) => waiting.push(holder),
      );
    await Promise.all([one(), one(), one()]);
    expect(installs).toBe(1);
    expect(waiting).toEqual([`process ${process.pid}`, `process ${process.pid}`]);
  });

  it('leaves nothing of an installation that failed', async () => {
    const dir = cache();
    const fail = (): Promise<void> => Promise.reject(new Error('no network'));
    await expect(installOnce(dir, 'tool-1', fail, nobodyWaits)).rejects.toThrow('no network');
    expect(readdirSync(dir)).toEqual([]);
  });

  it('does again what was interrupted', async () => {
    const dir = cache();
    mkdirSync(join(dir, 'tool-1'));
    writeFileSync(join(dir, 'tool-1', 'half'), '');
    expect(isInstalled(dir, 'tool-1')).toBe(false);
    const folder = await installOnce(dir, 'tool-1', async () => {}, nobodyWaits);
    expect(existsSync(join(folder, 'half'))).toBe(false);
    expect(isInstalled(dir, 'tool-1')).toBe(true);
  });

  it('does again what no longer works', async () => {
    const dir = cache();
    const install = jest.fn(async () => {});
    await installOnce(dir, 'tool-1', install, nobodyWaits);
    await installOnce(dir, 'tool-1', install, nobodyWaits, () => false);
    expect(install).toHaveBeenCalledTimes(2);
  });
});

describe('withFileLock', () => {
  it('takes over at once from a process that was killed', async () => {
    const lock = join(cache(), 'lock');
    const dead = spawn('true');
    await once(dead, 'exit');
    writeFileSync(lock, JSON.stringify({ host: hostname(), pid: dead.pid, startedAt: '42' }));
    await expect(withFileLock(lock, nobodyWaits, async () => 'done')).resolves.toBe('done');
    expect(existsSync(lock)).toBe(false);
  });

  it('takes over from another host only when the lock was not touched for a minute', async () => {
    const lock = join(cache(), 'lock');
    writeFileSync(lock, JSON.stringify({ host: 'elsewhere', pid: 1, startedAt: '42' }));
    const seen: string[] = [];
    const waiting = withFileLock(
      lock,
      (holder) => seen.push(holder),
      async () => 'done',
    );
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(seen).toEqual(['process 1 on elsewhere']);
    const old = new Date(Date.now() - 61_000);
    utimesSync(lock, old, old);
    await expect(waiting).resolves.toBe('done');
  });

  it('is free again after the work has failed', async () => {
    const lock = join(cache(), 'lock');
    await expect(withFileLock(lock, nobodyWaits, () => Promise.reject(new Error('x')))).rejects.toThrow('x');
    expect(existsSync(lock)).toBe(false);
  });

  it('lets no two work at the same time, however many come when a dead one holds it', async () => {
    const lock = join(cache(), 'lock');
    writeFileSync(lock, JSON.stringify({ host: hostname(), pid: 2 ** 22 + 1, startedAt: '42' }));
    let atWork = 0;
    let most = 0;
    const one = (): Promise<void> =>
      withFileLock(
        lock,
        () => {},
        async () => {
          most = Math.max(most, (atWork += 1));
          await new Promise((resolve) => setTimeout(resolve, 5));
          atWork -= 1;
        },
      );
    await Promise.all(Array.from({ length: 8 }, one));
    expect(most).toBe(1);
  });
});
