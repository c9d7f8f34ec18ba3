import { copyFileSync, existsSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';

/** Logs of before that are kept: `worker.log.1` is the youngest. */
export const KEPT_LOGS = 5;

/** A log that grows beyond this, in bytes, is put aside while its writer goes on. */
export const LARGEST_LOG_BYTES = 10 << 20;

/** Makes room for a fresh log: the one that is there becomes `.1`, and so on; the oldest goes. */
export function putAside(logFile: string): void {
  if (!existsSync(logFile)) return;
  makeRoom(logFile);
  renameSync(logFile, `${logFile}.1`);
}

/**
 * The same for a log that a process is writing, once it is large. Its writer must append: the bytes are copied, then the file is emptied
 * under its feet; a line that comes between the two is lost.
 *
 * @returns whether it was large
 */
export function putAsideWhenLarge(logFile: string, largestBytes = LARGEST_LOG_BYTES): boolean {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= largestBytes) return false;
  makeRoom(logFile);
  copyFileSync(logFile, `${logFile}.1`);
  truncateSync(logFile);
  return true;
}

function makeRoom(logFile: string): void {
  rmSync(`${logFile}.${KEPT_LOGS}`, { force: true });
  for (let number = KEPT_LOGS - 1; number >= 1; number--) {
    if (existsSync(`${logFile}.${number}`)) renameSync(`${logFile}.${number}`, `${logFile}.${number + 1}`);
  }
}
