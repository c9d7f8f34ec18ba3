import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { RetrainError } from '../../contracts/errors';
import { withFileLock, type LockOptions } from '../files/file-lock';
import { isAlive } from '../files/process-alive';
import { storageTrouble } from '../files/storage-trouble';

const Holder = z.object({ pid: z.int(), cmd: z.string() });
type Holder = z.infer<typeof Holder>;

/** `.dvc/tmp/rwlock`: who reads and who writes which absolute path. */
const PathLocks = z.object({
  write: z.record(z.string(), Holder).default({}),
  read: z.record(z.string(), z.array(Holder)).default({}),
});
type PathLocks = z.infer<typeof PathLocks>;

const POLL_MS = 100;

/**
 * Does something while no `dvc` command, and no other of ours, changes the workspace: under DVC’s own lock. Short work
 * only: everybody else waits, and dvc gives up after 3 s.
 *
 * @param dvcDir absolute path of `.dvc`
 * @throws RetrainError `WORKSPACE_BUSY`
 */
export async function withWorkspaceLock<T>(
  dvcDir: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  return withFileLock(join(dvcDir, 'tmp', 'lock'), options, work);
}

/**
 * Does something while nobody writes to the paths that it reads, and nobody reads or writes those that it writes: DVC’s
 * path locks, which `dvc repro` holds while a stage’s command runs. Locks of processes that are gone are dropped.
 *
 * @param holder says in other processes’ messages who it is; unique among what this process does at once
 * @throws RetrainError `WORKSPACE_BUSY`, naming the path and the command that holds it
 */
export async function withPathLocks<T>(
  dvcDir: string,
  paths: { read: readonly string[]; write: readonly string[] },
  holder: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const self: Holder = { pid: process.pid, cmd: holder };
  const deadline = Date.now() + (options.timeoutMs ?? 60_000);
  for (let waited = false; ; waited = true) {
    options.signal?.throwIfAborted();
    const blocker = await editPathLocks(dvcDir, options, (locks) => acquire(locks, paths, self));
    if (!blocker) break;
    if (Date.now() >= deadline) {
      throw new RetrainError(
        'WORKSPACE_BUSY',
        `${blocker.path} is in use by ${blocker.cmd} (process ${blocker.pid}); let it finish, then start again`,
      );
    }
    if (!waited) options.onWait?.(`${blocker.cmd} (process ${blocker.pid})`);
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    await editPathLocks(dvcDir, options, (locks) => release(locks, self));
  }
}

async function editPathLocks<T>(
  dvcDir: string,
  options: LockOptions,
  edit: (locks: PathLocks) => T,
): Promise<T> {
  const path = join(dvcDir, 'tmp', 'rwlock');
  return withFileLock(`${path}.lock`, options, async () => {
    const locks = await readPathLocks(path);
    const result = edit(locks);
    await writeLocks(path, JSON.stringify(locks));
    return result;
  });
}

/** Locks are given back on a full disk, too: what is left of them is shorter than what is there. */
async function writeLocks(path: string, text: string): Promise<void> {
  const beside = `${path}.retrain`;
  try {
    await writeFile(beside, text);
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    const there = await stat(path).catch(() => null);
    if (there === null || there.size < text.length) {
      throw storageTrouble(error, { folder: path, needBytes: text.length }) ?? error;
    }
    const file = await open(path, 'r+');
    try {
      await file.write(text, 0);
      await file.truncate(text.length);
    } finally {
      await file.close();
    }
  }
}

async function readPathLocks(path: string): Promise<PathLocks> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  try {
    return PathLocks.parse(JSON.parse(text));
  } catch (cause) {
    throw new RetrainError(
      'WORKSPACE_BUSY',
      `${path} is not readable as DVC’s path locks; if no dvc is running, remove it`,
      { cause },
    );
  }
}

/** Enters the locks, or returns who is in the way. */
function acquire(
  locks: PathLocks,
  { read, write }: { read: readonly string[]; write: readonly string[] },
  self: Holder,
): (Holder & { path: string }) | null {
  dropDead(locks);
  const overlapping = (path: string, wanted: readonly string[]) =>
    wanted.some((each) => overlaps(each, path));
  for (const [path, writer] of Object.entries(locks.write)) {
    if (overlapping(path, [...read, ...write])) return { ...writer, path };
  }
  for (const [path, [reader]] of Object.entries(locks.read)) {
    if (reader && overlapping(path, write)) return { ...reader, path };
  }
  for (const path of write) locks.write[path] = self;
  for (const path of read) (locks.read[path] ??= []).push(self);
  return null;
}

function release(locks: PathLocks, self: Holder): void {
  const isSelf = (holder: Holder) => holder.pid === self.pid && holder.cmd === self.cmd;
  keep(locks, (holder) => !isSelf(holder));
}

function dropDead(locks: PathLocks): void {
  keep(locks, ({ pid }) => isAlive(pid));
}

function keep(locks: PathLocks, wanted: (holder: Holder) => boolean): void {
  locks.write = Object.fromEntries(Object.entries(locks.write).filter(([, holder]) => wanted(holder)));
  locks.read = Object.fromEntries(
    Object.entries(locks.read)
      .map(([path, holders]) => [path, holders.filter(wanted)] as const)
      .filter(([, holders]) => holders.length > 0),
  );
}

function overlaps(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}
