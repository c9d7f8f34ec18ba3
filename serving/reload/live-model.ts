import { type ServedModel } from '../model/served-model';

/** What answers callers, or only listens. */
export type Role = 'production' | 'canary' | 'shadow';

/** What is known of a loaded model version. */
export interface ModelFacts {
  /** Registered model. */
  name: string;
  version: string;
  /** The alias that named it; null: the deprecated stage did, in a registry without aliases. */
  alias: string | null;
  /** The deprecated stage's word for what it does here. */
  stage: 'Production' | 'Staging' | 'None';
  /** MLflow run that made it; null: not known. */
  runId: string | null;
  dataHash: string | null;
  gitCommit: string | null;
  /** Of its run, by name. */
  metrics: Readonly<Record<string, number>>;
  /** Rows of its input example, `{column: value}`; empty: it has none. */
  example: readonly Readonly<Record<string, unknown>>[];
  /** Whether its signature was checked; `no`: it is not signed. */
  signed: 'valid' | 'unchecked' | 'no';
  /** Epoch ms. */
  loadedAt: number;
}

/** A model version that is open, and who still uses it. It closes when it has been replaced and its last user is done. */
export class LiveModel {
  #users = 0;
  #retired = false;

  constructor(
    readonly facts: ModelFacts,
    readonly served: ServedModel,
  ) {}

  /** Says that a request uses it from now on; `release` says that it does no more. */
  take(): this {
    this.#users++;
    return this;
  }

  release(): void {
    this.#users--;
    this.#closeIfUnused();
  }

  /** It answers no new request. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#closeIfUnused();
  }

  #closeIfUnused(): void {
    // A child process that does not end in order is the engine's to kill; nobody waits for it here.
    if (this.#retired && this.#users === 0) void this.served.close().catch(() => undefined);
  }
}
