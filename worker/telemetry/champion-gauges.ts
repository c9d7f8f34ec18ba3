import { Gauge, type Registry } from 'prom-client';
import { ALARM_FAMILIES } from '../../contracts/alarm';
import { BoundedLabel, labelValue } from './bounds';
import { type Champions } from './champions';

/** The registry is not asked again sooner than this, in ms, however many scrape. */
const FRESH_MS = 60_000;

/** And not before a look has been paid for by this many times the time it took: a slow registry is busy enough. */
const TIMES_THE_LOOK = 50;

/** How long a scrape waits for a look; then it shows what there was. */
const PATIENCE_MS = 2000;

export interface ChampionGaugesDeps {
  registry: Registry;
  look: (signal: AbortSignal) => Promise<Champions>;
  /** Told of a look that failed, and of one that did not. */
  onLook: (error: Error | null) => void;
  now?: () => number;
}

/**
 * The champions' facts among a worker's metrics. They come from MLflow, so that every worker tells the same, a fresh one too: take the
 * `max by (model)`. Asked for when somebody scrapes, and never by a timer: where nobody looks, MLflow is left alone.
 */
export class ChampionGauges {
  private readonly info: Gauge;
  private readonly made: Gauge;
  private readonly promoted: Gauge;
  private readonly lag: Gauge;
  private readonly alarms: Gauge;
  private readonly alarmed: Gauge;
  private readonly leftOut: Gauge;
  private readonly looked: Gauge;
  private readonly over = new AbortController();
  private looking: Promise<void> | undefined;
  private nextAt = 0;

  constructor(private readonly deps: ChampionGaugesDeps) {
    const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
      new Gauge({ name, help, labelNames, registers: [deps.registry] });
    this.info = gauge('retrain_champion_info', '1 for the version of each model that is in production.', [
      'model',
      'version',
    ]);
    this.made = gauge(
      'retrain_champion_created_timestamp_seconds',
      'When the production version was registered: time() minus this is its age.',
      ['model'],
    );
    this.promoted = gauge(
      'retrain_champion_promoted_timestamp_seconds',
      'When it went into production; missing where the alias was moved in MLflow itself.',
      ['model'],
    );
    this.lag = gauge(
      'retrain_champion_promotion_lag_seconds',
      'From the registration of the production version until it was in production: seconds, or as long as an approval takes.',
      ['model'],
    );
    this.alarms = gauge(
      'retrain_alarms_open',
      `Open alarms of the production version, by kind: ${ALARM_FAMILIES.join(', ')}.`,
      ['model', 'kind'],
    );
    this.alarmed = gauge(
      'retrain_alarm_raised_timestamp_seconds',
      'When the first of its open alarms of that kind was raised.',
      ['model', 'kind'],
    );
    this.leftOut = gauge(
      'retrain_champions_left_out',
      'Registered models that are not looked at: there are more than 100, and to these nothing has happened for longest.',
    );
    this.looked = gauge(
      'retrain_champions_looked_timestamp_seconds',
      'When the registry was last read for the metrics of champions.',
    );
  }

  /** Brings the gauges up to date if they are old, and waits for that a moment. It never fails. */
  async refresh(): Promise<void> {
    const now = this.deps.now ?? Date.now;
    if (this.looking === undefined && now() >= this.nextAt && !this.over.signal.aborted) {
      const began = now();
      this.looking = this.take().finally(() => {
        this.looking = undefined;
        this.nextAt = now() + Math.max(FRESH_MS, (now() - began) * TIMES_THE_LOOK);
      });
    }
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS).unref();
    });
    await Promise.race([this.looking, patience]);
    clearTimeout(timer);
  }

  close(): void {
    this.over.abort();
  }

  private async take(): Promise<void> {
    try {
      this.show(await this.deps.look(this.over.signal));
      this.deps.onLook(null);
    } catch (error) {
      if (!this.over.signal.aborted) this.deps.onLook(error as Error);
    }
  }

  private show({ champions, leftOut }: Champions): void {
    for (const gauge of [this.info, this.made, this.promoted, this.lag, this.alarms, this.alarmed])
      gauge.reset();
    const models = new BoundedLabel(champions.length);
    for (const { model: name, version, madeAt, promotedAt, alarms } of champions) {
      const model = models.of(name);
      this.info.set({ model, version: labelValue(version) }, 1);
      this.made.set({ model }, madeAt / 1000);
      if (promotedAt !== null) {
        this.promoted.set({ model }, promotedAt / 1000);
        this.lag.set({ model }, Math.max(0, promotedAt - madeAt) / 1000);
      }
      for (const kind of ALARM_FAMILIES) {
        this.alarms.set({ model, kind }, alarms[kind]?.open ?? 0);
        if (alarms[kind] !== undefined) this.alarmed.set({ model, kind }, alarms[kind].since / 1000);
      }
    }
    this.leftOut.set(leftOut);
    this.looked.set((this.deps.now ?? Date.now)() / 1000);
  }
}
