import { Gauge, type Registry } from 'prom-client';
import { labelValue } from './bounds';

/** Models whose figures are kept, and figures of each: their names are those of columns. */
const MOST_MODELS = 50;
const MOST_FIGURES = 200;

/**
 * The figures of the latest check of each model that this worker has made: drift by column, accuracy. Another worker may have made a
 * later one; `retrain_watch_checked_timestamp_seconds` tells which is the latest, and the recording rules take that one's.
 */
export class WatchFigures {
  private readonly figure: Gauge<'model' | 'figure'>;
  private readonly checked: Gauge<'model'>;
  /** Figures by model, in the order of their checks. */
  private readonly shown = new Map<string, string[]>();

  constructor(registry: Registry) {
    const registers = [registry];
    this.figure = new Gauge({
      name: 'retrain_watch_figure',
      help: 'Figures of the latest check of a model that this worker made, as MLflow has them; psi.COLUMN: of the twenty columns that drifted most.',
      labelNames: ['model', 'figure'],
      registers,
    });
    this.checked = new Gauge({
      name: 'retrain_watch_checked_timestamp_seconds',
      help: 'When this worker made its latest check of a model.',
      labelNames: ['model'],
      registers,
    });
  }

  /** Takes the place of the figures of the check before. What is no number is left out. */
  show(name: string, figures: Readonly<Record<string, unknown>>, at = Date.now()): void {
    const model = labelValue(name);
    this.forget(model);
    const [oldest] = this.shown.keys();
    if (this.shown.size >= MOST_MODELS && oldest !== undefined) this.forget(oldest);
    const numbers = Object.entries(figures).filter(([, value]) => Number.isFinite(value));
    const kept = numbers.slice(0, MOST_FIGURES).map(([key]) => labelValue(key));
    numbers.slice(0, MOST_FIGURES).forEach(([, value], index) => {
      this.figure.set({ model, figure: kept[index] ?? '' }, Number(value));
    });
    this.checked.set({ model }, at / 1000);
    this.shown.set(model, kept);
  }

  private forget(model: string): void {
    for (const figure of this.shown.get(model) ?? []) this.figure.remove({ model, figure });
    if (this.shown.delete(model)) this.checked.remove({ model });
  }
}
