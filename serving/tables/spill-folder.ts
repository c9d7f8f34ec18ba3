import { lstat, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { StagingArea } from '../../integrations/files/staging-area';

/** What a process of another machine left is not looked at for so long: it may still be at work. */
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * Gives `work` an empty folder, for its owner's eyes only, where a table that does not fit into memory may spill, and removes it afterwards.
 * What processes left that were killed goes first: it may be gigabytes.
 */
export async function withSpillFolder<T>(
  work: (dir: string) => Promise<T>,
  temporary = tmpdir(),
): Promise<T> {
  const dir = await newFolder(temporary);
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function newFolder(temporary: string): Promise<string> {
  const area = path.join(temporary, `retrain-spill-${userInfo().uid}`);
  await mkdir(area, { mode: 0o700 }).catch(() => undefined);
  // The folder of temporary files is everybody's: of the same name, somebody else may have made one before.
  if (!(await isOursAlone(area))) return mkdtemp(path.join(temporary, 'retrain-spill-'));
  const spills = new StagingArea(area);
  // Others may sweep at the same time.
  await spills.sweep(WEEK_MS).catch(() => undefined);
  const dir = await spills.newPath();
  await mkdir(dir, { mode: 0o700 });
  return dir;
}

async function isOursAlone(dir: string): Promise<boolean> {
  try {
    const found = await lstat(dir);
    return found.isDirectory() && found.uid === userInfo().uid && (found.mode & 0o077) === 0;
  } catch {
    return false;
  }
}
