import { readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** How often the memory of a bounded process is looked at, in ms: it can grow by some 100 MB meanwhile. */
export const WATCH_MS = 50;

/** Address space beyond the memory: V8 and native allocators reserve more than they use. */
const SPARE_ADDRESSES = 16 * 2 ** 30;

const PAGE_BYTES = 4096;

/** What a bounded process has said is kept so far, for one that dies without a word; in characters. */
export const MOST_SAID = 2000;

/** How a Node program is started so that it takes no more memory than it may. */
export interface BoundedCommand {
  command: string;
  args: string[];
  /** Nothing of this process's environment: it may hold secrets. */
  env: Record<string, string>;
}

/**
 * A Node program whose heap is bounded by V8 and whose address space by the kernel. Neither sees native memory as it is used: whoever
 * starts it also looks at `residentBytes` every `WATCH_MS`, and kills it.
 *
 * @param program a compiled script and its arguments
 */
export function boundedCommand(program: readonly string[], memoryBytes: number): BoundedCommand {
  const addresses = Math.floor((memoryBytes + SPARE_ADDRESSES) / 1024);
  const heap = Math.max(64, Math.floor(memoryBytes / 2 ** 20));
  return {
    command: '/bin/sh',
    args: [
      ...['-c', `ulimit -v ${addresses} 2>/dev/null; exec "$@"`, 'sh'],
      ...[process.execPath, `--max-old-space-size=${heap}`, ...program],
    ],
    env: { PATH: dirname(process.execPath) },
  };
}

/** Resident memory of a process; 0 where the system does not tell. */
export function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}

/** Has the kernel end this process first, should the machine run out of memory. */
export function preferInOutOfMemory(pid: number | undefined): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
  } catch {
    // Not on every system; the watch is what bounds it.
  }
}

/** Whether it said that it got no memory before it died. */
export const saidOutOfMemory = (said: string): boolean =>
  /out of memory|bad_alloc|allocation failed/i.test(said);
