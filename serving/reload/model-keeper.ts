import { createHash } from 'node:crypto';
import { ALIAS } from '../../contracts/names';
import { type LiveModel, type Role } from './live-model';
import { type ModelsInService, type ReloadStatus } from './models-in-service';
import { type Look, Slot, type SlotSource } from './slot';

export interface KeeperOptions {
  /** Registered model, for messages. */
  model: string;
  /** By alias: how its versions are found and opened. */
  source: (alias: string, role: Role) => SlotSource;
  canary: { alias: string; percent: number } | null;
  shadow: { alias: string } | null;
  /** How often the aliases are looked at, in ms. */
  pollMs: number;
  /** Is told of swaps, refusals, and of the registry going and coming. */
  onEvent: (event: 'swapped' | 'refused' | 'away' | 'back' | 'none', fields: Record<string, unknown>) => void;
}

/** While there is nothing to serve, somebody waits: so often it looks, in ms. */
const WAITING_POLL_MS = 500;

/** Keeps the models that the aliases name in service: looks, and swaps between requests. */
export class ModelKeeper implements ModelsInService {
  readonly #production: Slot;
  readonly #others: { role: Role; alias: string; slot: Slot; look: Look | null }[];
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | null = null;
  #last: Look | null = null;
  #lastCheckAt: number | null = null;
  #lastAnswerAt: number | null = null;
  #reloads = 0;

  constructor(private readonly options: KeeperOptions) {
    this.#production = new Slot(options.source(ALIAS.production, 'production'));
    const { canary, shadow } = options;
    this.#others = [
      ...(canary === null ? [] : [{ role: 'canary' as const, alias: canary.alias }]),
      ...(shadow === null ? [] : [{ role: 'shadow' as const, alias: shadow.alias }]),
    ].map(({ role, alias }) => ({ role, alias, slot: new Slot(options.source(alias, role)), look: null }));
  }

  /** The first look, after which what can be served is; then one at a time for ever. */
  async start(): Promise<void> {
    await this.#lookNow();
    this.#schedule();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stop.abort();
    await this.#looking;
    this.#production.clear();
    for (const { slot } of this.#others) slot.clear();
  }

  production(): LiveModel | null {
    return this.#production.live;
  }

  canary(): { live: LiveModel; percent: number } | null {
    const live = this.#slotOf('canary')?.live ?? null;
    return live === null || this.options.canary === null
      ? null
      : { live, percent: this.options.canary.percent };
  }

  shadow(): LiveModel | null {
    return this.#slotOf('shadow')?.live ?? null;
  }

  choose(key: string | undefined): { live: LiveModel; role: Role } | null {
    const live = this.#production.live;
    if (live === null) return null;
    if (this.options.canary === null) return { live, role: 'production' };
    const canary = this.canary();
    // The same version under both aliases is no candidate.
    if (canary === null || canary.live.facts.version === live.facts.version)
      return { live, role: 'production' };
    const share = key === undefined ? Math.random() : shareOf(key);
    return share * 100 < canary.percent
      ? { live: canary.live, role: 'canary' }
      : { live, role: 'production' };
  }

  status(): ReloadStatus {
    const { why, state } = this.#state();
    return {
      ...{ state, why },
      mlflow: {
        reachable: this.#last !== null && this.#last.outcome !== 'away' && this.#last.outcome !== 'copy',
        lastAnswerAt: this.#lastAnswerAt,
      },
      lastCheckAt: this.#lastCheckAt,
      refused: [this.#production, ...this.#others.map(({ slot }) => slot)].flatMap(({ refused }) => [
        ...refused.values(),
      ]),
      reloads: this.#reloads,
    };
  }

  async reload(): Promise<ReloadStatus> {
    // One that began before now may not have seen what its caller has seen.
    await this.#looking;
    for (const slot of [this.#production, ...this.#others.map((one) => one.slot)]) slot.refused.clear();
    await this.#lookNow();
    return this.status();
  }

  #slotOf(role: Role): Slot | undefined {
    return this.#others.find((one) => one.role === role)?.slot;
  }

  #schedule(): void {
    if (this.#stop.signal.aborted) return;
    const { pollMs } = this.options;
    const wait = this.#production.live === null ? Math.min(pollMs, WAITING_POLL_MS) : pollMs;
    this.#timer = setTimeout(() => {
      void this.#lookNow().finally(() => this.#schedule());
    }, wait);
  }

  /** Several that want a look at the same time share it. */
  #lookNow(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { signal } = this.#stop;
    const before = this.#last;
    const look = await this.#production.look(signal);
    this.#note('production', ALIAS.production, look, before, this.#production);
    this.#last = look;
    for (const other of this.#others) {
      const seen = await other.slot.look(signal);
      this.#note(other.role, other.alias, seen, other.look, other.slot);
      other.look = seen;
    }
    this.#lastCheckAt = Date.now();
    if (look.outcome !== 'away' && look.outcome !== 'copy') this.#lastAnswerAt = this.#lastCheckAt;
  }

  #note(role: Role, alias: string, look: Look, before: Look | null, slot: Slot): void {
    const fields = { role, alias, model: this.options.model };
    const wasAway = before?.outcome === 'away' || before?.outcome === 'copy';
    if (look.outcome === 'swapped' || look.outcome === 'copy') {
      this.#reloads++;
      this.options.onEvent('swapped', {
        ...fields,
        version: slot.live?.facts.version,
        from: look.outcome === 'copy' ? 'the local copy' : 'MLflow',
      });
    }
    if (look.outcome === 'refused' && look.news)
      this.options.onEvent('refused', { ...fields, version: look.version, why: look.why });
    if (look.outcome === 'away' && !wasAway) this.options.onEvent('away', { ...fields, why: look.why });
    if (look.outcome === 'none' && before?.outcome !== 'none') this.options.onEvent('none', fields);
    if (wasAway && look.outcome !== 'away' && look.outcome !== 'copy') this.options.onEvent('back', fields);
  }

  #state(): Pick<ReloadStatus, 'state' | 'why'> {
    const { model } = this.options;
    const look = this.#last;
    if (look === null)
      return { state: 'starting', why: 'the registry has not answered yet; try again in a second' };
    const serves = this.#production.live !== null;
    const still =
      this.#production.live === null
        ? ''
        : `; version ${this.#production.live.facts.version} stays in service`;
    if (look.outcome === 'none') {
      return {
        state: 'waiting',
        why: `${model} has no version in ${ALIAS.production}; train one (\`retrain start\`), or promote one: \`retrain promote ${model}@VERSION\``,
      };
    }
    if (look.outcome === 'refused') {
      return {
        state: serves ? 'degraded' : 'waiting',
        why: `version ${look.version} was refused: ${look.why}${still}; put another version into ${ALIAS.production}`,
      };
    }
    if (look.outcome === 'away' || look.outcome === 'copy') {
      const why = look.outcome === 'copy' ? 'MLflow does not answer' : look.why;
      return { state: serves ? 'degraded' : 'waiting', why: `${why}${still}` };
    }
    const other = this.#others.find((one) => one.look?.outcome === 'refused');
    if (other?.look?.outcome === 'refused') {
      return {
        state: 'degraded',
        why: `${other.role} version ${other.look.version} was refused: ${other.look.why}`,
      };
    }
    return { state: 'ok', why: null };
  }
}

/** Of a key, from 0 to 1: the same in every process, and known to nobody who does not try. */
function shareOf(key: string): number {
  return createHash('sha256').update(key, 'utf8').digest().readUInt32BE(0) / 2 ** 32;
}
