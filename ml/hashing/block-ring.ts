const SLOT_BYTES = 1 << 20;
const SLOTS = 8;

/** Where the counters stand in the control block; after them come the lengths of the slots. */
const FILLED = 0;
const RELEASED = 1;
const LENGTHS = 2;

/** What both threads of a ring share. */
export interface RingMemory {
  slots: SharedArrayBuffer;
  control: SharedArrayBuffer;
}

/** Memory of a ring of 8 slots of 1 MiB, all free. */
export function ringMemory(): RingMemory {
  return {
    slots: new SharedArrayBuffer(SLOT_BYTES * SLOTS),
    control: new SharedArrayBuffer((LENGTHS + SLOTS) * Int32Array.BYTES_PER_ELEMENT),
  };
}

/**
 * Numbered blocks of bytes on their way from one thread, which calls `free` and `fill`, to another, which calls `take` and
 * `release`. Each waits for the other, and blocks its thread while it does. The first block that is not full is the last.
 */
export class BlockRing {
  private readonly control: Int32Array;

  constructor(private readonly memory: RingMemory) {
    this.control = new Int32Array(memory.control);
  }

  /** The slot to write a block to, once the other thread is done with what was in it. */
  free(block: number): Uint8Array {
    this.wait(RELEASED, block - SLOTS + 1);
    return this.slot(block);
  }

  /** Hands the block over: the first `length` bytes of its slot. */
  fill(block: number, length: number): void {
    this.control[LENGTHS + (block % SLOTS)] = length;
    this.advance(FILLED, block + 1);
  }

  /** The bytes of a block, once they are there. */
  take(block: number): Uint8Array {
    this.wait(FILLED, block + 1);
    return this.slot(block).subarray(0, this.control[LENGTHS + (block % SLOTS)]);
  }

  /** Gives the block's slot back. */
  release(block: number): void {
    this.advance(RELEASED, block + 1);
  }

  /** Whether these bytes of a block are the last. */
  static isLast(bytes: Uint8Array): boolean {
    return bytes.length < SLOT_BYTES;
  }

  private slot(block: number): Uint8Array {
    return new Uint8Array(this.memory.slots, (block % SLOTS) * SLOT_BYTES, SLOT_BYTES);
  }

  private wait(counter: number, atLeast: number): void {
    for (;;) {
      const now = Atomics.load(this.control, counter);
      if (now >= atLeast) return;
      Atomics.wait(this.control, counter, now);
    }
  }

  private advance(counter: number, to: number): void {
    Atomics.store(this.control, counter, to);
    Atomics.notify(this.control, counter);
  }
}
