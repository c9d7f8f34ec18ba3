import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
    expect(readdirSync(dir)).toEqual(['tool-1', 'tool-1.lock']);
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
    expect(readdirSync(dir)).toEqual(['tool-1.lock']);
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
