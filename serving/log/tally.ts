import { type Judged } from './log-options';
import { type LoggedPrediction } from './prediction-log';

/** Classes that are counted by name; the rest are counted together. */
const MOST_CLASSES = 30;
const OTHER = 'other';
/** Latency is counted in steps of 10 %, from 10 µs to about 10 minutes. */
const STEP = Math.log(1.1);
const SHORTEST_MS = 0.01;
const STEPS = 190;

/** Counts of one model version over one interval. */
export class Tally {
  #rows = 0;
  readonly #byClass = new Map<string, number>();
  #probability = { sum: 0, rows: 0 };
  #value = { sum: 0, rows: 0 };
  #latency = { sum: 0, requests: 0, steps: new Uint32Array(STEPS) };
  #judged = { rows: 0, right: 0, squaredError: 0 };
  #task: 'classification' | 'regression' | null = null;

  add({ model, answers, batch, latencyMs }: LoggedPrediction): void {
    this.#task = model.task;
    this.#rows += batch.rows;
    const { labels, probabilities, values } = answers;
    for (let row = 0; row < batch.rows; row += 1) {
      const label = labels?.[row];
      if (label !== undefined) {
        const name = this.#nameOf(String(label));
        this.#byClass.set(name, (this.#byClass.get(name) ?? 0) + 1);
        const code = model.classes.indexOf(label);
        addTo(this.#probability, probabilities?.[row * model.classes.length + code]);
      }
      addTo(this.#value, values?.[row]);
    }
    if (latencyMs === undefined) return;
    this.#latency.sum += latencyMs;
    this.#latency.requests += 1;
    const step = Math.floor(Math.log(Math.max(latencyMs, SHORTEST_MS) / SHORTEST_MS) / STEP);
    this.#latency.steps[Math.min(step, STEPS - 1)]! += 1;
  }

  judge({ rows, right, squaredError }: Judged): void {
    this.#judged.rows += rows;
    this.#judged.right += right;
    this.#judged.squaredError += squaredError;
  }

  /** As metrics of MLflow; latency in ms. What nothing is known of is left out. */
  metrics(): Record<string, number> {
    const judged = this.#judged;
    return {
      predictions: this.#rows,
      ...Object.fromEntries([...this.#byClass].map(([name, rows]) => [`predictions_by_class.${name}`, rows])),
      ...mean('mean_probability', this.#probability.sum, this.#probability.rows),
      ...mean('mean_prediction', this.#value.sum, this.#value.rows),
      ...mean('latency_mean_ms', this.#latency.sum, this.#latency.requests),
      ...(this.#latency.requests === 0 ? {} : { latency_p99_ms: this.#latencyAt(0.99) }),
      ...(judged.rows === 0 ? {} : { feedback: judged.rows }),
      ...(this.#task === 'regression'
        ? judged.rows === 0
          ? {}
          : { feedback_rmse: Math.sqrt(judged.squaredError / judged.rows) }
        : mean('feedback_accuracy', judged.right, judged.rows)),
    };
  }

  #nameOf(label: string): string {
    const name = label.slice(0, 100);
    return this.#byClass.has(name) || this.#byClass.size < MOST_CLASSES ? name : OTHER;
  }

  /** Upper end of the step in which that share of the requests ends. */
  #latencyAt(share: number): number {
    let left = share * this.#latency.requests;
    const step = this.#latency.steps.findIndex((count) => (left -= count) <= 0);
    return SHORTEST_MS * Math.exp(STEP * (step + 1));
  }
}

function addTo(mean: { sum: number; rows: number }, value: number | undefined): void {
  if (value === undefined || !Number.isFinite(value)) return;
  mean.sum += value;
  mean.rows += 1;
}

function mean(name: string, sum: number, count: number): Record<string, number> {
  return count === 0 ? {} : { [name]: sum / count };
}
