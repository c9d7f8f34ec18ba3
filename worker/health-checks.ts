import { stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Check } from '../integrations/files/health-report';
import { type Checks } from './health';

export interface HealthSources {
  /** When Temporal last saw this worker poll, in epoch ms; null: not since it remembers. */
  lastPoll(): Promise<number | null>;
  stageLoad(): { threads: number; busy: number };
  /** Folders that need room. */
  folders: readonly string[];
  /** Asks for a file, which takes a thread. Default: a look at `/`. */
  lookAtFile?(): Promise<unknown>;
}

/** A poll that found nothing is repeated within a minute. */
const POLLED_WITHIN_MS = 75_000;

/** The server may take its time; longer, and it is away. */
const SERVER_ANSWERS_WITHIN_MS = 5000;

/** Heartbeats go out every second and are missed after ten. */
const LONGEST_LAG_MS = 5000;

/** All of libuv's threads (four unless UV_THREADPOOL_SIZE says more) are stuck when a look at a file takes longer. */
const FILE_WITHIN_MS = 3000;

/** Below this, results of stages do not fit. */
const LEAST_FREE_BYTES = 256 << 20;

/** @returns the looks at a worker, and what ends them */
export function healthChecks(sources: HealthSources): { checks: Checks; stop: () => void } {
  const lag = new LoopLag();
  const checks: Checks = {
    async poller() {
      const seen = await within(SERVER_ANSWERS_WITHIN_MS, sources.lastPoll());
      if (seen === LATE) return ill('Temporal does not answer');
      if (seen === null) return ill('Temporal has not seen it poll');
      const agoS = Math.max(0, Math.round((Date.now() - seen) / 1000));
      const note = `polled ${agoS} s ago`;
      return { ok: Date.now() - seen < POLLED_WITHIN_MS, note, agoS };
    },
    async eventLoop() {
      const maxMs = Math.round(lag.longestMs());
      const note = `main thread busy for up to ${maxMs} ms at a time`;
      const ok = maxMs < LONGEST_LAG_MS;
      return { ok, note: ok ? note : `${note}, expected below ${LONGEST_LAG_MS} ms`, maxMs };
    },
    async fileThreads() {
      const begun = performance.now();
      if ((await within(FILE_WITHIN_MS, sources.lookAtFile?.() ?? stat('/'))) === LATE)
        return ill(`no thread for files came free in ${FILE_WITHIN_MS / 1000} s`);
      return { ok: true, note: `file looked at in ${Math.round(performance.now() - begun)} ms` };
    },
    async stageThreads() {
      const { threads, busy } = sources.stageLoad();
      return {
        ok: true,
        note: `${Math.max(0, threads - busy)} of ${threads} stage threads free`,
        threads,
        busy,
      };
    },
    async disk() {
      const free = await within(FILE_WITHIN_MS, Promise.all(sources.folders.map(freeBytes)));
      if (free === LATE) return ill('the disk does not answer');
      const least = Math.min(...free);
      const note = `${Math.floor(least / 2 ** 20)} MiB of disk free`;
      if (least >= LEAST_FREE_BYTES) return { ok: true, note, freeBytes: least };
      return {
        ok: false,
        note: `${note}, expected ${LEAST_FREE_BYTES / 2 ** 20} MiB or more`,
        freeBytes: least,
      };
    },
  };
  return { checks, stop: () => lag.stop() };
}

const ill = (note: string): Check => ({ ok: false, note });

const LATE: unique symbol = Symbol('late');

/** The answer, or that it is late: whoever waits for a thread may wait for ever. */
async function within<T>(ms: number, answer: Promise<T>): Promise<T | typeof LATE> {
  const over = new AbortController();
  const late = async (): Promise<typeof LATE> => {
    await sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);
    return LATE;
  };
  try {
    return await Promise.race([answer, late()]);
  } finally {
    over.abort();
    answer.catch(() => undefined);
  }
}

/** On the file system of a folder, or of the nearest one above it that is there. */
async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    const above = path.dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === folder) throw error;
    return freeBytes(above);
  }
}

/** How late a timer was, in ms, over the last ten seconds: by that long something kept the main thread. */
class LoopLag {
  private readonly samples: { at: number; lateMs: number }[] = [];
  private ticked = performance.now();
  private readonly timer = setInterval(() => this.tick(), TICK_MS).unref();

  longestMs(): number {
    const now = performance.now();
    const recent = this.samples.filter(({ at }) => now - at < WINDOW_MS).map(({ lateMs }) => lateMs);
    return Math.max(0, now - this.ticked - TICK_MS, ...recent);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    const now = performance.now();
    this.samples.push({ at: now, lateMs: now - this.ticked - TICK_MS });
    if (this.samples.length > WINDOW_MS / TICK_MS) this.samples.shift();
    this.ticked = now;
  }
}

const TICK_MS = 250;
const WINDOW_MS = 10_000;
