import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProcess } from './process-table';

interface Holder {
  host: string;
  pid: number;
  startedAt: string;
}

/** The holder touches its lock this often … */
const TOUCH_MS = 5_000;

/** … so one that was not touched for so long belongs to nobody, even on another host that shares the folder. */
const ABANDONED_MS = 60_000;

/** How often a waiting process looks. */
const POLL_MS = 250;

/**
 * Runs `work` while holding a lock file. A lock whose process has died is taken over at once; one of another
 * host when it has not been touched for a minute.
 *
 * @param onWait told once who holds the lock, when it must be waited for
 */
export async function withFileLock<T>(
  path: string,
  onWait: (holder: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  let told = false;
  while (!tryAcquire(path)) {
    const holder = readHolder(path);
    if (holder !== null && !isAbandoned(path, holder)) {
      if (!told) onWait(`process ${holder.pid}${holder.host === hostname() ? '' : ` on ${holder.host}`}`);
      told = true;
      await sleep(POLL_MS);
    } else if (!takeAway(path)) await sleep(POLL_MS);
  }
  const touching = setInterval(() => {
    touch(path);
  }, TOUCH_MS);
  try {
    return await work();
  } finally {
    clearInterval(touching);
    rmSync(path, { force: true });
  }
}

/** Makes the lock with its holder's name in one step, so that nobody sees it half written. */
function tryAcquire(path: string): boolean {
  const startedAt = findProcess(process.pid)?.startedAt ?? '';
  const holder: Holder = { host: hostname(), pid: process.pid, startedAt };
  const unfinished = `${path}.${hostname()}.${process.pid}.${randomUUID()}`;
  writeFileSync(unfinished, JSON.stringify(holder));
  try {
    linkSync(unfinished, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** Null: the lock has just gone, or is not one of ours. */
function readHolder(path: string): Holder | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return null;
  }
}

function isAbandoned(path: string, holder: Holder): boolean {
  if (holder.startedAt !== '' && holder.host === hostname()) {
    return findProcess(holder.pid)?.startedAt !== holder.startedAt;
  }
  return (ageMs(path) ?? 0) > ABANDONED_MS;
}

/**
 * Removes an abandoned lock. Only one process may look and remove at a time: otherwise the second would remove
 * the lock that the first has taken meanwhile.
 */
function takeAway(path: string): boolean {
  const right = `${path}.takeover`;
  if (!tryAcquire(right)) {
    if ((ageMs(right) ?? 0) > ABANDONED_MS) rmSync(right, { force: true });
    return false;
  }
  try {
    const holder = readHolder(path);
    if (holder === null || isAbandoned(path, holder)) rmSync(path, { force: true });
    return true;
  } finally {
    rmSync(right, { force: true });
  }
}

function ageMs(path: string): number | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? null : Date.now() - stat.mtimeMs;
}

function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // The folder was removed under us; the work that needs it will say so.
  }
}
