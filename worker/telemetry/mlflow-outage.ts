import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger } from '@temporalio/worker';
import { Gauge, type Registry } from 'prom-client';

/** How often a server that is away is asked whether it is back, in ms. */
const AGAIN_MS = 5000;

export interface MlflowOutageDeps {
  registry: Registry;
  logger: Pick<Logger, 'info' | 'warn'>;
  /** Asks MLflow for next to nothing; rejects while it is away. */
  probe: (signal: AbortSignal) => Promise<unknown>;
  againMs?: number;
}

/** Tells once that MLflow is away, however many activities wait for it, and once that it is back. */
export class MlflowOutage {
  private readonly over = new AbortController();
  private readonly up: Gauge;
  private isAway = false;

  constructor(private readonly deps: MlflowOutageDeps) {
    this.up = new Gauge({
      name: 'retrain_mlflow_up',
      help: '0 while MLflow does not answer this worker, as far as it has asked.',
      registers: [deps.registry],
    });
    this.up.set(1);
  }

  /** An attempt found nobody there. */
  away(reason: string): void {
    if (this.isAway || this.over.signal.aborted) return;
    this.isAway = true;
    this.up.set(0);
    this.deps.logger.warn('MLflow does not answer', { reason });
    void this.untilBack(performance.now());
  }

  close(): void {
    this.over.abort();
  }

  private async untilBack(since: number): Promise<void> {
    const { signal } = this.over;
    while (!signal.aborted) {
      await sleep(this.deps.againMs ?? AGAIN_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (await this.answers(signal)) {
        this.isAway = false;
        this.up.set(1);
        this.deps.logger.info('MLflow answers again', { awayMs: Math.round(performance.now() - since) });
        return;
      }
    }
  }

  private async answers(signal: AbortSignal): Promise<boolean> {
    try {
      await this.deps.probe(signal);
      return true;
    } catch {
      return false;
    }
  }
}
