import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { PRIVATE_FILE } from '../../integrations/files/state-folder';
import { findProcess } from './process-table';

/** What a pid file remembers of a server that we started. */
const PidRecord = z.object({
  pid: z.number().int().positive(),
  /** Tells the process from a later one with the same pid. */
  startedAt: z.string(),
  /** What it was started with; a server that would be started with something else now is another one. */
  fingerprint: z.string(),
});
export type PidRecord = z.infer<typeof PidRecord>;

/**
 * The server that a pid file names, if that very process still runs. A file that is stale, damaged, or whose pid
 * belongs to another process by now counts as none.
 */
export function runningFrom(path: string): PidRecord | null {
  const record = readRecord(path);
  if (record === null) return null;
  return findProcess(record.pid)?.startedAt === record.startedAt ? record : null;
}

/** Remembers a process that has just been started; does nothing if it is gone already. */
export function writePidFile(path: string, pid: number, fingerprint: string): void {
  const entry = findProcess(pid);
  if (entry === null) return;
  mkdirSync(dirname(path), { recursive: true });
  const record: PidRecord = { pid, startedAt: entry.startedAt, fingerprint };
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, `${JSON.stringify(record)}\n`, { mode: PRIVATE_FILE });
  renameSync(unfinished, path);
}

/** Forgets a process. */
export function removePidFile(path: string): void {
  rmSync(path, { force: true });
}

function readRecord(path: string): PidRecord | null {
  try {
    return PidRecord.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}
