import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { isAlive } from './process-alive';
import { PRIVATE_FILE } from './state-folder';

/** What a worker tells those beside it while it polls. */
export const WorkerFile = z.object({
  pid: z.number().int().positive(),
  /** Where it answers `askHealth`. */
  health: z.string(),
});
export type WorkerFile = z.infer<typeof WorkerFile>;

/**
 * Where a worker process says that it is ready, in a state folder that it may share with others: one file each, told apart by
 * machine, as containers with one volume may have the same process numbers.
 */
export function workerFile(state: string, pid: number): string {
  return path.join(folderOf(state), `${prefix()}${pid}.json`);
}

/** Says that a worker is ready, in one step: a reader sees all of it or nothing. */
export function writeWorkerFile(file: string, content: WorkerFile): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const unfinished = `${file}.new`;
  writeFileSync(unfinished, `${JSON.stringify(content)}\n`, { mode: PRIVATE_FILE });
  renameSync(unfinished, file);
}

/** @returns null when there is none, or it is being written by a version that writes others */
export function readWorkerFile(file: string): WorkerFile | null {
  try {
    return WorkerFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

/** Workers of this machine that are ready; files that killed ones left are removed. */
export function readyWorkers(state: string): WorkerFile[] {
  const ready: WorkerFile[] = [];
  for (const name of namesIn(folderOf(state))) {
    const pid = Number(/^(\d+)\.json$/.exec(name.slice(prefix().length))?.[1]);
    if (!name.startsWith(prefix()) || !(pid > 0)) continue;
    const file = path.join(folderOf(state), name);
    const content = readWorkerFile(file);
    if (content !== null && isAlive(pid)) ready.push(content);
    else rmSync(file, { force: true });
  }
  return ready;
}

const folderOf = (state: string): string => path.join(state, 'run', 'workers');
const prefix = (): string => `${hostname()}.`;

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
