import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { withSpillFolder } from '../../../serving/tables/spill-folder';

describe('the folder where tables spill', () => {
  let temporary: string;
  const area = (): string => path.join(temporary, `retrain-spill-${process.getuid?.()}`);
  beforeEach(() => (temporary = mkdtempSync(path.join(tmpdir(), 'spills-'))));
  afterEach(() => rmSync(temporary, { recursive: true }));

  /** As a process left it that was killed. */
  function leftBy(pid: number): string {
    const left = path.join(area(), `${hostname().replace(/[^A-Za-z0-9-]/g, '_')}.${pid}.0123456789abcdef`);
    mkdirSync(path.join(left, 'spilled'), { recursive: true, mode: 0o700 });
    return left;
  }

  test('is empty, for its owner only, and gone afterwards, however the work ends', async () => {
    await withSpillFolder(async (dir) => {
      expect(readdirSync(dir)).toEqual([]);
      expect(statSync(dir).mode & 0o777).toBe(0o700);
      expect(path.dirname(dir)).toBe(area());
    }, temporary);
    await expect(withSpillFolder(() => Promise.reject(new Error('full')), temporary)).rejects.toThrow('full');
    expect(readdirSync(area())).toEqual([]);
  });

  test('what killed processes left is swept, and nothing of those that live', async () => {
    const { pid: dead } = spawnSync(process.execPath, ['--version']);
    const [left, used] = [leftBy(dead), leftBy(process.ppid)];
    await withSpillFolder(async () => undefined, temporary);
    expect([existsSync(left), existsSync(used)]).toEqual([false, true]);
  });

  test('an area that others may look into is not used', async () => {
    mkdirSync(area());
    chmodSync(area(), 0o777);
    await withSpillFolder(async (dir) => {
      expect(path.dirname(dir)).toBe(temporary);
      expect(statSync(dir).mode & 0o777).toBe(0o700);
    }, temporary);
    expect(readdirSync(temporary)).toEqual([path.basename(area())]);
  });
});
