import { setTimeout as delay } from 'node:timers/promises';
import { RetrainError } from '../contracts/errors';
import { type NativeSection } from '../ml/scoring/native-section';

const FREE = 0;
const INSIDE = 1;
const CLOSED = 2;

/** Sections last milliseconds, or notice an abort; only a cancelled run ever waits for one. */
const POLL_MS = 5;

/** Where the section's state stands, and where the wish to close it. */
const STATE = 0;
const WANTED = 1;

/** Shared by the thread that runs a stage and the one that may end it. */
export function newGate(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
}

/** The side of the thread: enters and leaves native code; once the gate is closed, entering fails. */
export class GatedSection implements NativeSection {
  readonly #gate: Int32Array;

  constructor(gate: SharedArrayBuffer) {
    this.#gate = new Int32Array(gate);
  }

  async run<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (Atomics.compareExchange(this.#gate, STATE, FREE, INSIDE) !== FREE) {
      throw new RetrainError('RUN_CANCELLED', 'the stage was cancelled before a call into native code');
    }
    const abort = new AbortController();
    const watch = setInterval(() => {
      if (Atomics.load(this.#gate, WANTED) === 1) abort.abort();
    }, POLL_MS);
    try {
      return await call(abort.signal);
    } finally {
      clearInterval(watch);
      Atomics.store(this.#gate, STATE, FREE);
    }
  }
}

/** The side of the one that ends the thread: resolves once no native code runs, nor will. */
export async function closeGate(gate: SharedArrayBuffer): Promise<void> {
  const shared = new Int32Array(gate);
  Atomics.store(shared, WANTED, 1);
  while (Atomics.compareExchange(shared, STATE, FREE, CLOSED) === INSIDE) await delay(POLL_MS);
}
