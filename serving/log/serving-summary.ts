import { type Mlflow } from '../../integrations/mlflow/client';
import { type Judged } from './log-options';
import { type LoggedPrediction } from './prediction-log';
import { Tally } from './tally';

/** Tag of a serving run: `iris-classifier/3`. */
export const SERVING_TAG = 'serving_version';

/** Experiment that holds the serving runs of a model. */
export function servingExperiment(modelName: string): string {
  return `${modelName}-serving`;
}

const DEFAULT_INTERVAL_MS = 60_000;
/** An attempt, and the last one, which a process that ends waits for. */
const ATTEMPT_MS = 20_000;
const LAST_ATTEMPT_MS = 3_000;
/** Versions that are counted at a time. */
const MOST_VERSIONS = 16;

export interface SummaryOptions {
  mlflow: Pick<Mlflow, 'experiments' | 'runs'>;
  /** Default 60,000. */
  intervalMs?: number;
  /** Is told, in one line, when MLflow begins to refuse, and when it takes again. */
  onNotice?: (line: string) => void;
  now?: () => number;
}

interface Version {
  modelName: string;
  modelVersion: string;
  tally: Tally;
  counted: boolean;
  /** What MLflow has not confirmed: sent again as it is, with its time, so that it cannot count twice. */
  unsent: { metrics: Record<string, number>; at: number } | null;
  runId: string | null;
}

/**
 * Says to MLflow, every minute, what was predicted since: one run for each model version, in an experiment of its own. While MLflow is
 * away, counts go on and are told afterwards.
 */
export class ServingSummary {
  readonly #options: Required<SummaryOptions>;
  readonly #versions = new Map<string, Version>();
  readonly #timer: NodeJS.Timeout;
  #last: Version | null = null;
  #sending: Promise<void> | null = null;
  #refused = false;

  constructor(options: SummaryOptions) {
    this.#options = {
      mlflow: options.mlflow,
      intervalMs: options.intervalMs ?? DEFAULT_INTERVAL_MS,
      onNotice: options.onNotice ?? (() => undefined),
      now: options.now ?? Date.now,
    };
    this.#timer = setInterval(() => void this.send(ATTEMPT_MS), this.#options.intervalMs);
    this.#timer.unref();
  }

  add(prediction: LoggedPrediction): void {
    const { modelName, modelVersion } = prediction;
    const known = this.#last;
    const version =
      known?.modelVersion === modelVersion && known.modelName === modelName
        ? known
        : this.#versionOf(modelName, modelVersion);
    if (version === null) return;
    this.#last = version;
    version.tally.add(prediction);
    version.counted = true;
  }

  judge(judged: Judged): void {
    const version = this.#versionOf(judged.modelName, judged.modelVersion);
    version?.tally.judge(judged);
    if (version !== null) version.counted = true;
  }

  /** Tells what was counted; one attempt at a time. Never throws. */
  send(withinMs: number): Promise<void> {
    this.#sending ??= this.#sendAll(AbortSignal.timeout(withinMs)).finally(() => {
      this.#sending = null;
    });
    return this.#sending;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sending;
    await this.send(LAST_ATTEMPT_MS);
  }

  #versionOf(modelName: string, modelVersion: string): Version | null {
    const key = `${modelName}/${modelVersion}`;
    let version = this.#versions.get(key);
    if (version === undefined) {
      if (this.#versions.size >= MOST_VERSIONS) this.#forgetQuiet();
      if (this.#versions.size >= MOST_VERSIONS) return null;
      const tally = new Tally();
      version = { modelName, modelVersion, tally, counted: false, unsent: null, runId: null };
      this.#versions.set(key, version);
    }
    return version;
  }

  #forgetQuiet(): void {
    for (const [key, { counted, unsent }] of this.#versions) {
      if (!counted && unsent === null) this.#versions.delete(key);
    }
    this.#last = null;
  }

  async #sendAll(signal: AbortSignal): Promise<void> {
    try {
      for (const version of [...this.#versions.values()]) await this.#sendOne(version, signal);
      if (this.#refused) this.#options.onNotice('MLflow takes the summary of predictions again');
      this.#refused = false;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!this.#refused)
        this.#options.onNotice(`the summary of predictions waits for MLflow: ${why}; it is tried again`);
      this.#refused = true;
    }
  }

  async #sendOne(version: Version, signal: AbortSignal): Promise<void> {
    // What waited first, then what was counted meanwhile.
    if (version.unsent !== null) await this.#deliver(version, version.unsent, signal);
    if (!version.counted) return;
    const unsent = { metrics: version.tally.metrics(), at: this.#options.now() };
    version.unsent = unsent;
    [version.tally, version.counted] = [new Tally(), false];
    await this.#deliver(version, unsent, signal);
  }

  async #deliver(
    version: Version,
    { metrics, at }: NonNullable<Version['unsent']>,
    signal: AbortSignal,
  ): Promise<void> {
    const { experiments, runs } = this.#options.mlflow;
    if (version.runId === null) {
      const { modelName, modelVersion } = version;
      const experiment = await experiments.ensure(servingExperiment(modelName), signal);
      const tag = [SERVING_TAG, `${modelName}/${modelVersion}`] as const;
      version.runId = (
        await runs.findOrCreateTagged(experiment, `version ${modelVersion}`, tag, signal)
      ).runId;
    }
    try {
      await runs.log(version.runId, { metrics, at, step: Math.floor(at / 1000) }, signal);
    } catch (error) {
      // It may have been deleted by hand: another is looked for, or made, the next time.
      version.runId = null;
      throw error;
    }
    version.unsent = null;
  }
}
