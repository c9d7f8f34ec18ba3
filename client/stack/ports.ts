import { randomInt } from 'node:crypto';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections, which come and go at any moment. */
const LOWEST_TRIED = 20_000;
const HIGHEST_TRIED = 32_000;

/** A port of the loopback interface that nobody listens on, and that no outgoing connection takes meanwhile. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST_TRIED, HIGHEST_TRIED);
    if (await isPortFree(port)) return port;
  }
}

/** Whether this port of the loopback interface can be listened on. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

export interface PortHolder {
  pid: number;
  /** Its program, without arguments: these may hold secrets. */
  program: string;
}

/**
 * Who listens on a port of this machine: from /proc, so on Linux only, and only among the processes that we may
 * look into. Null when it cannot be found.
 */
export function portHolder(port: number): PortHolder | null {
  if (process.platform !== 'linux') return null;
  const inodes = listeningInodes(port);
  if (inodes.size === 0) return null;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (!openSockets(pid).some((inode) => inodes.has(inode))) continue;
    return { pid: Number(pid), program: programOf(pid) };
  }
  return null;
}

/** Columns of /proc/net/tcp: slot, local address, remote address, state (0A: listening), … inode (tenth). */
function listeningInodes(port: number): Set<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const found = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readLines(table)) {
      const columns = line.trim().split(/\s+/);
      const [, local, , state] = columns;
      if (state === '0A' && local?.endsWith(suffix) === true && columns[9] !== undefined) {
        found.add(columns[9]);
      }
    }
  }
  return found;
}

function openSockets(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return []; // closed in the meantime
      }
    });
  } catch {
    return []; // gone, or another user's
  }
}

function programOf(pid: string): string {
  return readLines(`/proc/${pid}/comm`)[0] ?? 'unknown';
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n');
  } catch {
    return [];
  }
}
