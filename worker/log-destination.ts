import { writeSync } from 'node:fs';

/** How long a line waits for whoever reads the other end of a pipe, before it is dropped. */
const WAIT_MS = 10;
const MOST_WAITS = 100;

/**
 * Where log lines go: each is written at once, or dropped where that cannot be (a full disk, a reader that is gone), and the next one
 * is tried again: a log must not end the work that it tells of. A line that was cut short by a full disk is ended before the next one.
 */
export class LogDestination {
  private cut = false;

  constructor(private readonly fd: number) {}

  write(line: string): void {
    const bytes = Buffer.from(this.cut ? `\n${line}` : line);
    let done = 0;
    let waits = 0;
    while (done < bytes.length) {
      try {
        done += writeSync(this.fd, bytes, done);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || waits++ > MOST_WAITS) break;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
      }
    }
    if (done > 0) this.cut = done < bytes.length;
  }
}
