import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type Answers, type Label } from '../model/served-model';
import { type LogStatus } from '../log/prediction-log';
import { type LiveModel, type Role } from '../reload/live-model';
import { type ModelsInService } from '../reload/models-in-service';

/** Classes beyond these are counted together: each is a series of its own. */
const MOST_CLASSES = 100;

/** Where a busy server on this side of a network answers, in seconds. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface MetricSources {
  models: ModelsInService;
  /** Requests that wait for a model. */
  waiting: () => number;
  /** Null: predictions are not logged. */
  log: () => LogStatus | null;
}

/** Counts what the API does, for `GET /metrics` and the page. */
export class ApiMetrics {
  readonly registry = new Registry();
  readonly #requests: Counter<'route' | 'status'>;
  readonly #seconds: Histogram<'route'>;
  readonly #predictions: Counter<'model' | 'version' | 'role' | 'class'>;
  readonly #refused: Counter<'reason'>;
  /** Counters with their labels bound, so that a request looks up a name and no more. */
  readonly #byRequest = new Map<string, { inc(): void }>();
  readonly #byRoute = new Map<string, { observe(seconds: number): void }>();
  readonly #byModel = new WeakMap<LiveModel, ModelCounts>();
  #served = 0;

  constructor() {
    const registers = [this.registry];
    this.#requests = new Counter({
      name: 'retrain_api_requests_total',
      help: 'Requests, by route and status.',
      labelNames: ['route', 'status'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'retrain_api_request_seconds',
      help: 'From the arrival of a request’s head to its answer.',
      labelNames: ['route'],
      buckets: BUCKETS,
      registers,
    });
    this.#predictions = new Counter({
      name: 'retrain_api_predictions_total',
      help: 'Rows answered, by class; a regression has none.',
      labelNames: ['model', 'version', 'role', 'class'],
      registers,
    });
    this.#refused = new Counter({
      name: 'retrain_api_refused_total',
      help: 'Requests sent away before they were read, and why.',
      labelNames: ['reason'],
      registers,
    });
    // Born with its first event, it would not have increased.
    this.#refused.inc({ reason: 'pressure' }, 0);
    collectDefaultMetrics({ register: this.registry });
  }

  /** Adds what is read off when somebody asks. */
  observe({ models, waiting, log }: MetricSources): void {
    const registers = [this.registry];
    new Gauge({
      name: 'retrain_api_queue',
      help: 'Requests that wait for a model.',
      registers,
      collect() {
        this.set(waiting());
      },
    });
    new Gauge({
      name: 'retrain_api_model_info',
      help: '1 for each model that is loaded.',
      labelNames: ['model', 'version', 'role', 'engine'],
      registers,
      collect() {
        this.reset();
        const loaded: [Role, LiveModel | null | undefined][] = [
          ['production', models.production()],
          ['canary', models.canary()?.live],
          ['shadow', models.shadow()],
        ];
        for (const [role, live] of loaded) {
          if (live)
            this.set(
              { model: live.facts.name, version: live.facts.version, role, engine: live.served.engine },
              1,
            );
        }
      },
    });
    new Gauge({
      name: 'retrain_api_degraded',
      help: '1 while something is wrong; GET /health says what.',
      registers,
      collect() {
        this.set(models.status().state === 'ok' ? 0 : 1);
      },
    });
    const total = (name: string, help: string, value: () => number): void => {
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(value());
        },
      });
    };
    total(
      'retrain_api_reloads_total',
      'Models that came into service since the start.',
      () => models.status().reloads,
    );
    new Gauge({
      name: 'retrain_api_versions_refused',
      help: 'Versions that an alias points to and that were not taken into service; GET /health says why.',
      registers,
      collect() {
        this.set(models.status().refused.length);
      },
    });
    total(
      'retrain_api_log_written_total',
      'Rows of the prediction log that are in a file.',
      () => log()?.written ?? 0,
    );
    total(
      'retrain_api_log_dropped_total',
      'Rows that the prediction log had no room for.',
      () => log()?.dropped ?? 0,
    );
    new Gauge({
      name: 'retrain_api_log_queue',
      help: 'Rows that wait to be written.',
      registers,
      collect() {
        this.set(log()?.queued ?? 0);
      },
    });
  }

  /** A request was answered. @param route its pattern, never its path: callers choose that */
  answered(route: string, status: number, seconds: number): void {
    this.#served++;
    const name = `${status}${route}`;
    let counter = this.#byRequest.get(name);
    if (counter === undefined) {
      counter = this.#requests.labels(route, String(status));
      this.#byRequest.set(name, counter);
    }
    counter.inc();
    let histogram = this.#byRoute.get(route);
    if (histogram === undefined) {
      histogram = this.#seconds.labels(route);
      this.#byRoute.set(route, histogram);
    }
    histogram.observe(seconds);
  }

  /** A request was sent away. */
  refused(reason: string): void {
    this.#refused.inc({ reason });
  }

  predicted(live: LiveModel, role: Role, rows: number, answers: Answers): void {
    this.countsOf(live, role).add(rows, answers);
  }

  /** What a loaded model has answered so far. */
  countsOf(live: LiveModel, role: Role): ModelCounts {
    let counts = this.#byModel.get(live);
    if (counts === undefined) {
      const { name, version } = live.facts;
      counts = new ModelCounts(live.served.classes, (label) =>
        this.#predictions.labels(name, version, role, label),
      );
      this.#byModel.set(live, counts);
    }
    return counts;
  }

  /** Requests answered since the start. */
  get served(): number {
    return this.#served;
  }
}

/** Rows that one model has answered, by class. */
export class ModelCounts {
  rows = 0;
  readonly byClass: Record<string, number> = Object.create(null) as Record<string, number>;
  readonly #counters = new Map<Label | undefined, { name: string; inc(): void }>();

  constructor(
    private readonly classes: readonly Label[],
    private readonly counterOf: (label: string) => { inc(): void },
  ) {}

  add(rows: number, { labels }: Answers): void {
    this.rows += rows;
    for (let row = 0; row < rows; row++) {
      const counter = this.#counter(labels === null ? undefined : labels[row]);
      counter.inc();
      this.byClass[counter.name] = (this.byClass[counter.name] ?? 0) + 1;
    }
  }

  #counter(label: Label | undefined): { name: string; inc(): void } {
    const found = this.#counters.get(label);
    if (found !== undefined) return found;
    const at = label === undefined ? -1 : this.classes.indexOf(label);
    const name =
      label === undefined ? '' : at === -1 || at >= MOST_CLASSES ? 'other' : String(label).slice(0, 100);
    const counter = this.counterOf(name);
    const made = { name, inc: () => counter.inc() };
    if (at !== -1 || label === undefined) this.#counters.set(label, made);
    return made;
  }
}
