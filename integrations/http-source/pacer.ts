import { setTimeout as sleep } from 'node:timers/promises';

/** Spaces requests to each origin: none begins sooner after the one before than its rate allows. */
export class Pacer {
  /** When the next request to an origin may begin, in ms of the clock. */
  private readonly next = new Map<string, number>();

  constructor(private readonly clock: () => number) {}

  async turn(origin: string, perMinute: number, signal: AbortSignal | undefined): Promise<void> {
    const now = this.clock();
    const at = Math.max(now, this.next.get(origin) ?? now);
    this.next.set(origin, at + 60_000 / perMinute);
    // Origins that were not asked lately need no memory.
    if (this.next.size > 1000) for (const [key, time] of this.next) if (time < now) this.next.delete(key);
    if (at <= now) return;
    await sleep(at - now, undefined, signal === undefined ? {} : { signal });
  }
}
