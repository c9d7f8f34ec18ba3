import { type ApiSettings } from './settings';

/** How often it looks, in ms. */
const EVERY_MS = 50;

/**
 * Tells when requests have to be sent away, so that those that are taken are answered in time: when the event loop is so late that what
 * stands in the sockets waits longer than the limit.
 */
export class Pressure {
  readonly #timer: NodeJS.Timeout;
  #due: number;
  #lagMs = 0;

  constructor(private readonly settings: Pick<ApiSettings, 'lagLimitMs'>) {
    this.#due = performance.now() + EVERY_MS;
    this.#timer = setInterval(() => this.#look(), EVERY_MS).unref();
  }

  /** By how much the event loop was late last time, in ms. */
  get lagMs(): number {
    return this.#lagMs;
  }

  /** Whether a request that comes now has to be sent away. */
  get tooHigh(): boolean {
    return this.#lagMs > this.settings.lagLimitMs;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Falls by half at a time: one late moment is over soon, and several keep it up. */
  #look(): void {
    const now = performance.now();
    const late = Math.max(0, now - this.#due);
    this.#due = now + EVERY_MS;
    this.#lagMs = Math.max(late, this.#lagMs / 2);
    if (this.#lagMs < 1) this.#lagMs = 0;
  }
}
