import { type ApiSettings } from './settings';

/** How often it looks, in ms. */
const EVERY_MS = 50;

/** Looks in a row that have to be late: what one stall has held up is answered right after it, and nobody is sent away for that. */
const LOOKS = 3;

/**
 * Tells when requests have to be sent away, so that those that are taken are answered in time: when the event loop is so late, again and
 * again, that what stands in the sockets waits longer than the limit.
 */
export class Pressure {
  readonly #timer: NodeJS.Timeout;
  readonly #late: number[] = [];
  #due: number;

  constructor(private readonly settings: Pick<ApiSettings, 'lagLimitMs'>) {
    this.#due = performance.now() + EVERY_MS;
    this.#timer = setInterval(() => this.look(performance.now()), EVERY_MS).unref();
  }

  /** By how much the event loop has been late each time of late, in ms. */
  get lagMs(): number {
    return this.#late.length < LOOKS ? 0 : Math.min(...this.#late);
  }

  /** Whether a request that comes now has to be sent away. */
  get tooHigh(): boolean {
    return this.#late.length === LOOKS && this.lagMs > this.settings.lagLimitMs;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** @param now in ms; from the timer */
  look(now: number): void {
    this.#late.push(Math.max(0, now - this.#due));
    if (this.#late.length > LOOKS) this.#late.shift();
    this.#due = now + EVERY_MS;
  }
}
