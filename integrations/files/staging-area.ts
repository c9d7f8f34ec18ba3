import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isAlive } from './process-alive';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Where objects are made before they are renamed into place: one folder in the cache, so on the same file
 * system, and one that neither `dvc gc` nor `dvc status` looks into. Names are `<host>.<pid>.<random>`: whatever a
 * crash leaves behind says whose it was.
 */
export class StagingArea {
  private readonly host = hostname().replace(/[^A-Za-z0-9-]/g, '_');

  constructor(readonly dir: string) {}

  /** A fresh path in the area; nothing is there yet. */
  async newPath(): Promise<string> {
    // Each time: somebody may remove the whole cache while a worker lives.
    await mkdir(this.dir, { recursive: true });
    return join(this.dir, `${this.host}.${process.pid}.${randomBytes(8).toString('hex')}`);
  }

  /**
   * Removes what dead processes left: at once when the process was one of this host, else when it was not touched for
   * `olderThanMs` (default a day). Returns how many entries went.
   */
  async sweep(olderThanMs = DAY_MS): Promise<number> {
    let removed = 0;
    for (const name of await entries(this.dir)) {
      const path = join(this.dir, name);
      if (this.ownerIsDead(name) || (await ageMs(path)) > olderThanMs) {
        await rm(path, { recursive: true, force: true });
        removed++;
      }
    }
    return removed;
  }

  private ownerIsDead(name: string): boolean {
    const [host, pid] = name.split('.');
    return host === this.host && /^\d+$/.test(pid ?? '') && !isAlive(Number(pid));
  }
}

async function entries(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function ageMs(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch {
    return 0;
  }
}
