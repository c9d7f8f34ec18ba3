import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

export interface ProcessEntry {
  pid: number;
  /** Process group: a server started by us leads one of its own. */
  group: number;
  /** When it started, in the system's own notation: two processes that had the same pid differ in it. */
  startedAt: string;
}

/**
 * The process with this pid; null when there is none, or only a zombie that nobody has reaped. Read from /proc
 * on Linux and from `ps` elsewhere.
 */
export function findProcess(pid: number): ProcessEntry | null {
  if (process.platform === 'linux') return fromProc(pid);
  return fromPs(['-p', String(pid)]).find((entry) => entry.pid === pid) ?? null;
}

/** Everything alive in a process group: a server and the processes that it started. */
export function groupMembers(group: number): ProcessEntry[] {
  const all = process.platform === 'linux' ? everyProc() : fromPs(['-A']);
  return all.filter((entry) => entry.group === group);
}

function everyProc(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => fromProc(Number(name)) ?? []);
}

/** Fields of /proc/PID/stat are numbered as in proc(5); the second, the name, may hold spaces and brackets. */
function fromProc(pid: number): ProcessEntry | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  const startedAt = fields[19];
  if (state === 'Z' || state === 'X' || startedAt === undefined) return null;
  return { pid, group: Number(group), startedAt };
}

function fromPs(selection: string[]): ProcessEntry[] {
  let table: string;
  try {
    table = execFileSync('ps', [...selection, '-o', 'pid=,pgid=,stat=,lstart='], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return []; // ps exits 1 when nothing matches
  }
  return table.split('\n').flatMap((line) => {
    const [, pid, group, state, startedAt] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line) ?? [];
    if (state === undefined || startedAt === undefined || state.startsWith('Z')) return [];
    return [{ pid: Number(pid), group: Number(group), startedAt }];
  });
}
