import { RetrainError } from '../../contracts/errors';
import { type LiveModel } from './live-model';

/** What an alias means now, by the registry. `key` tells one version from another of the same number. */
export interface NamedVersion {
  version: string;
  key: string;
}

/** A version that is open; `fresh` is false for a copy that was used while the registry was away. */
export interface Loaded {
  live: LiveModel;
  key: string;
  fresh: boolean;
}

/** How a slot finds and opens its versions. */
export interface SlotSource {
  /** What the alias means; null: nothing. @throws RetrainError when the registry does not answer */
  find(signal: AbortSignal): Promise<NamedVersion | null>;
  /** Fetches, checks, opens and warms it; from the local copy while the registry is away. */
  load(signal: AbortSignal): Promise<Loaded>;
}

/** What came of a look at the alias. */
export type Look =
  | { outcome: 'same' | 'swapped' }
  /** The registry does not answer, and the local copy was taken. */
  | { outcome: 'copy' }
  /** The alias is not there. */
  | { outcome: 'none' }
  /** The registry does not answer, and there is no copy, or none is needed. */
  | { outcome: 'away'; why: string }
  | { outcome: 'refused'; version: string; why: string; news: boolean };

/** Looks after which a missing alias is believed: whoever moves it by deleting and setting it leaves no gap in service. */
const MISSING_LOOKS = 2;
/** Refused versions that are remembered. */
const MOST_REFUSED = 100;

/** The model that one alias puts into service. One look at a time: its owner sees to that. */
export class Slot {
  live: LiveModel | null = null;
  #key: string | null = null;
  #missing = 0;
  /** Key of a version whose files are not there. */
  #lost: string | null = null;
  readonly refused = new Map<string, { version: string; why: string; at: number }>();

  constructor(
    private readonly source: SlotSource,
    private readonly now: () => number = Date.now,
  ) {}

  async look(signal: AbortSignal): Promise<Look> {
    let named: NamedVersion | null;
    try {
      named = await this.source.find(signal);
    } catch (error) {
      return this.#withoutRegistry(error, signal);
    }
    if (named === null) return this.#gone();
    this.#missing = 0;
    if (named.key === this.#key) return { outcome: 'same' };
    const before = this.refused.get(named.key);
    if (before !== undefined) return { outcome: 'refused', ...before, news: false };
    return this.#take(named, signal);
  }

  /** Ends service. */
  clear(): void {
    const old = this.live;
    this.live = null;
    this.#key = null;
    old?.retire();
  }

  async #take(named: NamedVersion, signal: AbortSignal): Promise<Look> {
    let loaded: Loaded;
    try {
      loaded = await this.source.load(signal);
    } catch (error) {
      if (signal.aborted || isPassing(error)) return { outcome: 'away', why: messageOf(error) };
      return this.#refuse(named, error);
    }
    this.#lost = null;
    this.#swap(loaded);
    return loaded.fresh ? { outcome: 'swapped' } : { outcome: 'copy' };
  }

  /** Files that are not there may be on their way: such a version is tried again, and told of once. */
  #refuse(named: NamedVersion, error: unknown): Look {
    const refusal = { version: named.version, why: messageOf(error), at: this.now() };
    if (error instanceof RetrainError && error.code === 'NOT_FOUND') {
      const news = this.#lost !== named.key;
      this.#lost = named.key;
      return { outcome: 'refused', ...refusal, news };
    }
    this.refused.set(named.key, refusal);
    const [oldest] = this.refused.keys();
    if (this.refused.size > MOST_REFUSED && oldest !== undefined) this.refused.delete(oldest);
    return { outcome: 'refused', ...refusal, news: true };
  }

  /** What is in service stays; with nothing in service, the last copy is taken. */
  async #withoutRegistry(error: unknown, signal: AbortSignal): Promise<Look> {
    const why = messageOf(error);
    if (this.live !== null || signal.aborted) return { outcome: 'away', why };
    try {
      this.#swap(await this.source.load(signal));
      return { outcome: 'copy' };
    } catch (second) {
      return { outcome: 'away', why: messageOf(second) };
    }
  }

  #gone(): Look {
    if (this.live !== null && ++this.#missing < MISSING_LOOKS) return { outcome: 'same' };
    this.clear();
    return { outcome: 'none' };
  }

  /** Between two requests: nothing here waits. */
  #swap({ live, key }: Loaded): void {
    const old = this.live;
    this.live = live;
    this.#key = key;
    old?.retire();
  }
}

/** Not the version's fault: another look may do. */
function isPassing(error: unknown): boolean {
  return error instanceof RetrainError && error.retryable;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
