import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A file system of its own, in memory, that a test can fill up or make read-only. */
export class SmallDisk {
  private constructor(
    /** Where it is mounted. */
    readonly dir: string,
    private readonly as: readonly string[],
  ) {}

  /** Null where this user may not mount: neither root, nor somebody who becomes root without a password, as CI's runners do. */
  static mount(sizeBytes: number): SmallDisk | null {
    const dir = path.join(mkdtempSync(path.join(tmpdir(), 'small-disk-')), 'disk');
    mkdirSync(dir);
    const owner = `uid=${process.getuid?.() ?? 0},gid=${process.getgid?.() ?? 0}`;
    for (const as of [[], ['sudo', '-n']]) {
      try {
        run(as, 'mount', '-t', 'tmpfs', '-o', `size=${sizeBytes},mode=0700,${owner}`, 'tmpfs', dir);
        return new SmallDisk(dir, as);
      } catch {
        // The next way.
      }
    }
    rmSync(path.dirname(dir), { recursive: true });
    return null;
  }

  /** Leaves this much room beside what is there; it comes in whole pages. */
  leaveRoom(bytes: number): void {
    for (let tries = 1; ; tries++) {
      const { blocks, bfree, bsize } = statfsSync(this.dir);
      try {
        // Of size 0 there would be no bound.
        return this.remount(`size=${Math.max((blocks - bfree) * bsize + bytes, bsize)}`);
      } catch (error) {
        // Somebody wrote more in between.
        if (tries === 20) throw error;
      }
    }
  }

  /** By a second mount over the first, so that files that are open there do not matter. */
  setReadOnly(readOnly: boolean): void {
    if (!readOnly) return run(this.as, 'umount', '--lazy', this.dir);
    run(this.as, 'mount', '--bind', this.dir, this.dir);
    this.remount('bind,ro');
  }

  /** The same files at another place, where they may only be read. */
  showAt(dir: string): void {
    run(this.as, 'mount', '--bind', this.dir, dir);
    run(this.as, 'mount', '-o', 'remount,bind,ro', dir);
  }

  hideAt(dir: string): void {
    run(this.as, 'umount', '--lazy', dir);
  }

  unmount(): void {
    run(this.as, 'umount', '--lazy', this.dir);
    rmSync(path.dirname(this.dir), { recursive: true });
  }

  private remount(options: string): void {
    run(this.as, 'mount', '-o', `remount,${options}`, this.dir);
  }
}

function run(as: readonly string[], ...command: string[]): void {
  const [program = '', ...args] = [...as, ...command];
  execFileSync(program, args, { stdio: 'ignore' });
}
