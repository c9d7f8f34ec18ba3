const LEFT = 0;
const DONE = 1;
const IDLE = 2;
const LEADER_WAITS = 3;
const FAILED = 4;
/** Numbers of shared memory that a board takes. */
export const BOARD_WORDS = 5;

/** What `LEFT` says when there will be no more work. */
const CLOSED = -1;

/** Looks at a word before sleeping on it: some 50 µs. Waking up a thread takes as long. */
const GLANCES = 4000;

/** How long a unit of work may take, in ms, before its thread is given up. */
const PATIENCE = 120_000;

/**
 * Work of a few microseconds up, shared out to threads unit by unit. A unit goes to whoever asks first: a thread that
 * is late, or whose core is busy, holds nobody up. What a phase is lies in memory that the leader fills before `run`;
 * a helper may read it from when it has claimed a unit until it has done it.
 */
export class PhaseBoard {
  /** @param words `[BOARD_WORDS]` of shared memory, zero at first */
  constructor(private readonly words: Int32Array) {}

  /**
   * The leader: has units 0 to `units - 1` done, by itself and all that serve, and waits for the last.
   * @throws Error when a helper failed or does not finish
   */
  run(units: number, work: (unit: number) => void): void {
    const { words } = this;
    Atomics.store(words, DONE, 0);
    Atomics.store(words, LEFT, units);
    // A helper counts itself idle before it looks at LEFT for the last time, so that it is woken or has seen it.
    if (Atomics.load(words, IDLE) > 0) Atomics.notify(words, LEFT);
    let own = 0;
    for (let unit = this.claim(); unit >= 0; unit = this.claim()) {
      work(unit);
      own++;
    }
    Atomics.add(words, DONE, own);
    for (let done = this.glance(DONE, units); done !== units; done = Atomics.load(words, DONE)) {
      if (Atomics.load(words, FAILED) !== 0) break;
      Atomics.store(words, LEADER_WAITS, 1);
      const outcome = Atomics.wait(words, DONE, done, PATIENCE);
      Atomics.store(words, LEADER_WAITS, 0);
      if (outcome === 'timed-out') break;
    }
    if (Atomics.load(words, DONE) !== units) throw new Error('a boosting thread failed, or does not finish');
  }

  /** A helper: does units until the board is closed. */
  serve(work: (unit: number) => void): void {
    const { words } = this;
    try {
      for (;;) {
        for (let unit = this.claim(); unit >= 0; unit = this.claim()) {
          work(unit);
          Atomics.add(words, DONE, 1);
          this.wakeLeader();
        }
        if (this.glanceAway(LEFT, 0) === CLOSED) return;
        Atomics.add(words, IDLE, 1);
        Atomics.wait(words, LEFT, 0);
        Atomics.sub(words, IDLE, 1);
      }
    } catch (error) {
      Atomics.store(words, FAILED, 1);
      Atomics.notify(words, DONE);
      throw error;
    }
  }

  /** Lets the helpers go. */
  close(): void {
    Atomics.store(this.words, LEFT, CLOSED);
    Atomics.notify(this.words, LEFT);
  }

  /** The number of a unit that is now the caller's, or -1. */
  private claim(): number {
    const { words } = this;
    for (let left = Atomics.load(words, LEFT); left > 0; left = Atomics.load(words, LEFT)) {
      if (Atomics.compareExchange(words, LEFT, left, left - 1) === left) return left - 1;
    }
    return -1;
  }

  private wakeLeader(): void {
    if (Atomics.load(this.words, LEADER_WAITS) === 1) Atomics.notify(this.words, DONE);
  }

  /** Looks at a word until it is `wanted`, for a while. @returns what it is at last */
  private glance(word: number, wanted: number): number {
    let seen = Atomics.load(this.words, word);
    for (let i = 0; i < GLANCES && seen !== wanted; i++) seen = Atomics.load(this.words, word);
    return seen;
  }

  /** Looks at a word until it is no longer `old`, for a while. @returns what it is at last */
  private glanceAway(word: number, old: number): number {
    let seen = Atomics.load(this.words, word);
    for (let i = 0; i < GLANCES && seen === old; i++) seen = Atomics.load(this.words, word);
    return seen;
  }
}
