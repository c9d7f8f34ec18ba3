import {
  type LedgerEntry,
  type LedgerPage,
  type LedgerPosition,
  type PendingApproval,
  type Standing,
  type StewardState,
} from '../contracts/steward';

/** Entries that a steward keeps at hand at least; older ones are dropped once MLflow has them. */
const AT_HAND = 500;
/** It keeps so many at most before it drops some: dropping one by one would copy the list each time. */
const DROP_AT = 1000;

/** So many answers are remembered, for asks that are repeated because the answer was lost. */
const REMEMBERED = 200;

/** So many versions that were production are known for rollbacks. */
const MOST_PRODUCTIONS = 1000;

const PAGE = 500;

const NOTHING_BEFORE = '0'.repeat(64);

/** What a steward knows: the end of the ledger, and what waits. Nothing here reaches outside. */
export class StewardBook {
  readonly state: StewardState;

  constructor(
    readonly model: string,
    state: StewardState | undefined,
  ) {
    this.state = state ?? {
      entries: [],
      mirrored: 0,
      pending: [],
      answered: [],
      rolledBack: [],
      productions: [],
      decided: [],
      turn: null,
      policy: null,
    };
  }

  /** A steward that was lost begins with what MLflow has of its ledger. */
  recall(entries: LedgerEntry[], total: number): void {
    this.state.entries = entries;
    this.state.mirrored = total;
    const last = entries.at(-1);
    if (last !== undefined) this.state.production = last.to;
    for (const entry of entries) this.noteMove(entry);
  }

  get total(): number {
    const last = this.state.entries.at(-1);
    return last === undefined ? 0 : last.index + 1;
  }

  get production(): string | null {
    return this.state.production ?? null;
  }

  position(): LedgerPosition {
    const { production, entries } = this.state;
    return {
      model: this.model,
      index: this.total,
      head: entries.at(-1)?.hash ?? NOTHING_BEFORE,
      at: new Date().toISOString(),
      ...(production === undefined ? {} : { production }),
    };
  }

  enter(entries: readonly LedgerEntry[], production: string | null): void {
    const { state } = this;
    state.entries.push(...entries);
    state.production = production;
    for (const entry of entries) this.noteMove(entry);
  }

  /** Entries that MLflow does not have yet, and those before them in the same file. */
  unmirrored(fileSize: number): LedgerEntry[] {
    const from = this.state.mirrored - (this.state.mirrored % fileSize);
    return this.total === this.state.mirrored ? [] : this.state.entries.filter(({ index }) => index >= from);
  }

  mirrored(count: number): void {
    const { state } = this;
    state.mirrored = Math.max(state.mirrored, count);
    if (state.entries.length < DROP_AT) return;
    const keepFrom = Math.min(this.total - AT_HAND, state.mirrored - (state.mirrored % AT_HAND));
    state.entries = state.entries.filter(({ index }) => index >= keepFrom);
  }

  remember<T>(list: T[], item: T): void {
    list.push(item);
    if (list.length > REMEMBERED) list.splice(0, list.length - REMEMBERED);
  }

  pendingOf(version: string): PendingApproval | undefined {
    return this.state.pending.find((one) => one.version === version);
  }

  /** Takes a candidate from those that wait. `answer` is told to whoever answers again. */
  closePending(version: string, answer: string): void {
    this.state.pending = this.state.pending.filter((one) => one.version !== version);
    this.remember(this.state.answered, { version, answer });
  }

  /** What a rollback goes to: the newest version that was production before, and was not rolled back. */
  formerProduction(): string | undefined {
    const { productions, rolledBack } = this.state;
    const out = new Set([this.production, ...rolledBack.map(({ version }) => version)]);
    return [...productions].reverse().find((version) => !out.has(version));
  }

  wasProduction(version: string): boolean {
    return this.state.productions.includes(version);
  }

  standing(waiting: number): Standing {
    const { entries, mirrored, pending, rolledBack, policy } = this.state;
    return {
      model: this.model,
      production: this.production,
      entries: this.total,
      mirrored,
      head: entries.at(-1)?.hash ?? NOTHING_BEFORE,
      pending,
      rolledBack,
      policy,
      waiting,
    };
  }

  page(from: number): LedgerPage {
    const entries = this.state.entries.filter(({ index }) => index >= from).slice(0, PAGE);
    return { entries, total: this.total };
  }

  private noteMove({ event, from, to, version, by, reason }: LedgerEntry): void {
    const { state } = this;
    if (from === to) return;
    for (const one of [from, to]) if (one !== null) this.noteProduction(one);
    state.rolledBack = state.rolledBack.filter((one) => one.version !== to);
    if (event !== 'rolled_back' || from === null || from === version) return;
    const pipelineKey =
      [...state.entries].reverse().find((entry) => entry.version === from)?.pipelineKey ?? null;
    this.remember(state.rolledBack, { version: from, by, reason, pipelineKey });
  }

  private noteProduction(version: string): void {
    const { state } = this;
    state.productions = [...state.productions.filter((one) => one !== version), version].slice(
      -MOST_PRODUCTIONS,
    );
  }
}
