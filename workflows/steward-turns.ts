import { condition } from '@temporalio/workflow';
import { type Turn } from '../contracts/steward';

/** How long a candidate that met a moved production has to come back scored, in ms; twice as long each further time, up to a day. */
const FIRST_TURN_MS = 5 * 60_000;
const LONGEST_TURN_MS = 24 * 3_600_000;

interface Ticket {
  /** Null: a person's, or the steward's own, which goes before candidates. */
  version: string | null;
}

/**
 * One at a time, in the order in which they came. A candidate that is sent away to be scored against a production that has
 * moved keeps its turn, so that it is scored twice at most however many ask: others wait for it, for a bounded time.
 */
export class Turns {
  private readonly line: Ticket[] = [];
  /** Until the steward is open. */
  private busy = true;

  constructor(public kept: Turn | null) {}

  /** From here on work is done. */
  open(): void {
    this.busy = false;
  }

  get waiting(): number {
    return this.line.length;
  }

  /**
   * Does the work when its turn comes.
   *
   * @param halted whether the steward takes nothing more: then `refuse` is thrown in place of the work
   */
  async take<T>(
    version: string | null,
    work: () => Promise<T>,
    halted: () => boolean,
    refuse: () => Error,
  ): Promise<T> {
    const ticket: Ticket = { version };
    this.line.push(ticket);
    try {
      await condition(() => halted() || this.isNext(ticket));
      if (halted()) throw refuse();
      this.busy = true;
    } finally {
      this.line.splice(this.line.indexOf(ticket), 1);
    }
    try {
      return await work();
    } finally {
      this.busy = false;
    }
  }

  /** Keeps the turn for a candidate that is to be scored again. */
  keepFor(version: string, now: number): void {
    const times = (this.kept?.version === version ? this.kept.times : 0) + 1;
    this.kept = { version, times, until: now + Math.min(FIRST_TURN_MS * 2 ** (times - 1), LONGEST_TURN_MS) };
  }

  /** The candidate has its answer, or will not come back. */
  giveBack(version: string): void {
    if (this.kept?.version === version) this.kept = null;
  }

  /** Takes back a turn that was kept long enough. */
  expire(now: number): void {
    if (this.kept !== null && this.kept.until <= now) this.kept = null;
  }

  private isNext(ticket: Ticket): boolean {
    if (this.busy) return false;
    const first = this.line.find(({ version }) => version === null) ?? this.nextCandidate();
    return first === ticket;
  }

  private nextCandidate(): Ticket | undefined {
    const { kept, line } = this;
    return kept === null ? line[0] : line.find(({ version }) => version === kept.version);
  }
}
