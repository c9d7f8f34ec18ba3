import { setTimeout as delay } from 'node:timers/promises';
import { RetrainError } from '../contracts/errors';
import { type NativeSection } from './stage';

const FREE = 0;
const INSIDE = 1;
const CLOSED = 2;

/** Sections last milliseconds; only a cancelled run ever waits for one. */
const POLL_MS = 5;

/** Shared by the thread that runs a stage and the one that may end it. */
export function newGate(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

/** The side of the thread: enters and leaves native code; once the gate is closed, entering fails. */
export class GatedSection implements NativeSection {
  readonly #state: Int32Array;

  constructor(gate: SharedArrayBuffer) {
    this.#state = new Int32Array(gate);
  }

  async run<T>(call: () => Promise<T>): Promise<T> {
    if (Atomics.compareExchange(this.#state, 0, FREE, INSIDE) !== FREE) {
      throw new RetrainError('RUN_CANCELLED', 'the stage was cancelled before a call into native code');
    }
    try {
      return await call();
    } finally {
      Atomics.store(this.#state, 0, FREE);
    }
  }
}

/** The side of the one that ends the thread: resolves once no native code runs, nor will. */
export async function closeGate(gate: SharedArrayBuffer): Promise<void> {
  const state = new Int32Array(gate);
  while (Atomics.compareExchange(state, 0, FREE, CLOSED) === INSIDE) {
    await delay(POLL_MS);
  }
}
