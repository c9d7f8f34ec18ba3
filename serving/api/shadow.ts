import { type PredictionLog } from '../log/prediction-log';
import { type Answers, type ServedModel } from '../model/served-model';
import { type LiveModel } from '../reload/live-model';
import { type Answered } from './answered';
import { type ApiMetrics } from './metrics';

/** Requests that wait for a shadow at a time; more are not heard. */
const MOST_WAITING = 64;

/** How a shadow's answers compare with those that callers got. */
export interface Comparison {
  rows: number;
  /** Rows with another class; of a regression, with a value that differs by more than a millionth of it. */
  disagreed: number;
  /** Mean difference of the probability of the class that was answered, or of the value; null: none yet. */
  meanDifference: number | null;
  /** Requests that it could not read or score. */
  failed: number;
  /** Requests that it did not hear, as too many waited. */
  missed: number;
}

/** Lets a shadow answer what production has answered, when there is time. Callers never wait for it, and never see its errors. */
export class ShadowListener {
  readonly #comparisons = new WeakMap<LiveModel, Comparison & { sum: number }>();
  #waiting = 0;

  constructor(
    private readonly metrics: ApiMetrics,
    private readonly log: PredictionLog | null,
    private readonly now: () => number,
  ) {}

  comparisonOf(shadow: LiveModel): Comparison {
    const { sum, ...comparison } = this.#of(shadow);
    return { ...comparison, meanDifference: comparison.rows === 0 ? null : sum / comparison.rows };
  }

  hear(shadow: LiveModel, requestId: string, rows: readonly unknown[], answered: Answered): void {
    const comparison = this.#of(shadow);
    if (this.#waiting >= MOST_WAITING) {
      comparison.missed++;
      return;
    }
    this.#waiting++;
    shadow.take();
    setImmediate(() => {
      this.#score(shadow, requestId, rows, answered)
        .catch(() => {
          comparison.failed++;
        })
        .finally(() => {
          this.#waiting--;
          shadow.release();
        });
    });
  }

  async #score(
    shadow: LiveModel,
    requestId: string,
    rows: readonly unknown[],
    answered: Answered,
  ): Promise<void> {
    const comparison = this.#of(shadow);
    const read = shadow.served.read(rows);
    if ('mistakes' in read) {
      comparison.failed++;
      return;
    }
    const answers = await shadow.served.score(read.batch);
    this.metrics.predicted(shadow, 'shadow', read.batch.rows, answers);
    compare(comparison, answered, shadow.served, answers);
    this.log?.add({
      at: this.now(),
      requestId,
      modelName: shadow.facts.name,
      modelVersion: shadow.facts.version,
      role: 'shadow',
      model: shadow.served,
      batch: read.batch,
      answers,
    });
  }

  #of(shadow: LiveModel): Comparison & { sum: number } {
    let found = this.#comparisons.get(shadow);
    if (found === undefined) {
      found = { rows: 0, disagreed: 0, meanDifference: null, failed: 0, missed: 0, sum: 0 };
      this.#comparisons.set(shadow, found);
    }
    return found;
  }
}

function compare(
  into: Comparison & { sum: number },
  answered: Answered,
  shadow: ServedModel,
  heard: Answers,
): void {
  const { live, batch, answers } = answered;
  for (let row = 0; row < batch.rows; row++) {
    const [a, b] = [answers.values?.[row], heard.values?.[row]];
    if (a !== undefined && b !== undefined) {
      if (Math.abs(a - b) > 1e-6 * Math.max(1, Math.abs(a))) into.disagreed++;
      into.sum += Math.abs(a - b);
    } else {
      const label = answers.labels?.[row];
      if (label !== heard.labels?.[row]) into.disagreed++;
      if (label !== undefined) {
        into.sum += Math.abs(
          probabilityOf(live.served, answers, row, label) - probabilityOf(shadow, heard, row, label),
        );
      }
    }
    into.rows++;
  }
}

function probabilityOf(
  { classes }: ServedModel,
  { probabilities, labels }: Answers,
  row: number,
  label: unknown,
): number {
  const at = classes.findIndex((one) => one === label);
  if (probabilities === null) return labels?.[row] === label ? 1 : 0;
  return at === -1 ? 0 : (probabilities[row * classes.length + at] ?? 0);
}
