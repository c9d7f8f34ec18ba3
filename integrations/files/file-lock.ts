import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm, utimes, writeFile, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import koffi from 'koffi';
import { RetrainError } from '../../contracts/errors';
import { PRIVATE_FILE } from './state-folder';

export interface LockOptions {
  /** Give up after this long. Default 60 s. */
  timeoutMs?: number;
  /** Called once when the lock is held by somebody else, with what is known of them: `process 4711`. */
  onWait?: (holder: string) => void;
  signal?: AbortSignal;
  /** By hard links instead of flock: `core.hardlink_lock` of DVC’s configuration. */
  hardlink?: boolean;
  /** The file is for its owner's eyes only. Default: as others' lock files are. */
  private?: boolean;
}

/** Gives a lock back. */
export type Release = () => Promise<void>;

const POLL_MS = 50;
const LOCK_EX_NB = 2 | 4;
const YEAR_S = 365 * 24 * 60 * 60;

/**
 * Takes the lock that DVC takes on a file: an exclusive flock(2), which Node itself does not offer (zc.lockfile), or with
 * `hardlink` a second link to a claim file (flufl.lock). The system drops a flock when its process dies; a hard link stays, in
 * DVC too, until somebody removes it.
 *
 * @throws RetrainError `WORKSPACE_BUSY` when it could not be had in time
 */
export async function lockFile(path: string, options: LockOptions = {}): Promise<Release> {
  await mkdir(dirname(path), { recursive: true });
  const deadline = Date.now() + (options.timeoutMs ?? 60_000);
  const attempt = options.hardlink ? tryHardlink : tryFlock;
  for (let waited = false; ; waited = true) {
    options.signal?.throwIfAborted();
    const release = await attempt(path, options.private === true ? PRIVATE_FILE : 0o666);
    if (release) return release;
    const holder = await holderOf(path);
    if (Date.now() >= deadline) {
      throw new RetrainError(
        'WORKSPACE_BUSY',
        `${path} is held by ${holder}; let it finish, or end it if it hangs, then start again`,
      );
    }
    if (!waited) options.onWait?.(holder);
    await sleep(POLL_MS);
  }
}

/** Runs `work` while holding a lock: see `lockFile`. The file stays, empty but for the last holder's pid. */
export async function withFileLock<T>(
  path: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const release = await lockFile(path, options);
  try {
    return await work();
  } finally {
    await release();
  }
}

type Flock = (fd: number, operation: number) => number;
let flock: Flock | undefined;

async function tryFlock(path: string, mode: number): Promise<Release | null> {
  flock ??= koffi.load(null).func('int flock(int fd, int operation)') as unknown as Flock;
  const file: FileHandle = await open(path, 'a+', mode);
  if (flock(file.fd, LOCK_EX_NB) !== 0) {
    await file.close();
    return null;
  }
  try {
    await file.truncate(0);
    await file.write(` ${process.pid}\n`);
  } catch {
    // A full disk has no room for our name, which others only show; the lock is ours all the same.
  }
  // Closing gives the lock back.
  return () => file.close();
}

async function tryHardlink(path: string): Promise<Release | null> {
  const name = `${path}|${hostname()}|${process.pid}|${randomBytes(8).toString('hex')}`;
  const claim = join(dirname(path), `${createHash('md5').update(name).digest('hex')}.lock`);
  await writeFile(claim, claim);
  // The time of the file is when others may break the lock.
  await utimes(claim, Date.now() / 1000 + YEAR_S, Date.now() / 1000 + YEAR_S);
  try {
    await link(claim, path);
  } catch (error) {
    await rm(claim, { force: true });
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw error;
  }
  return async () => {
    await rm(path, { force: true });
    await rm(claim, { force: true });
  };
}

async function holderOf(path: string): Promise<string> {
  const content = await readFile(path, 'utf8').catch(() => '');
  const pid = /^\s*(\d+)\s*$/.exec(content)?.[1];
  return pid ? `process ${pid}` : 'another process';
}
