import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Metrics } from '../../contracts/stage';
import { Crew } from '../forest/crew';
import { drawWeights } from './bootstrap';
import { regressionScores } from './regression';
import { type ClassPredictions, measureClasses } from './score-classes';

/** Metrics for weights `[n]`: how often each row counts; absent: once. */
export type Measure = (weights?: Float64Array) => Metrics;

/** What a model said of rows, and what is true. */
export type Predictions =
  | { kind: 'classes'; said: ClassPredictions }
  | { kind: 'values'; truth: Float64Array; predicted: Float64Array };

/** What is measured on draws of n of n rows. */
export interface DrawTask {
  rows: number;
  models: readonly Predictions[];
  resamples: number;
  seed: number;
}

/** What a thread is started with. */
export interface SharedDrawTask extends DrawTask {
  /** Shared: the next draw that nobody has taken. */
  counter: Int32Array;
}

/** A draw, and the metrics of each model on it. */
export type Drawn = [draw: number, metrics: Metrics[]];

/** The compiled entry file of a thread. */
export const DRAW_THREAD_ENTRY = join(__dirname, 'draw-thread.js');

/** Rows of all draws from which a thread saves more than its start takes, 40 ms. */
const WORTH_A_THREAD = 3_000_000;

/** Measures a model again and again. */
export function measureOf(model: Predictions, resamples: number): Measure {
  if (model.kind === 'classes') return measureClasses(model.said, resamples);
  return (weights) => regressionScores(model.truth, model.predicted, weights);
}

/** Takes draws until none is left, and measures each. */
export function takeDraws({ rows, models, resamples, seed, counter }: SharedDrawTask): Drawn[] {
  const measures = models.map((model) => measureOf(model, resamples));
  const weights = new Float64Array(rows);
  const drawn: Drawn[] = [];
  for (let draw = Atomics.add(counter, 0, 1); draw < resamples; draw = Atomics.add(counter, 0, 1)) {
    drawWeights(weights, seed, draw);
    drawn.push([draw, measures.map((measure) => measure(weights))]);
  }
  return drawn;
}

/**
 * The metrics of models on the draws of a bootstrap. A thread begins with them at once, where that is worth it; whoever asks for
 * them takes part until none is left. A draw has a random stream of its own, so who takes it changes nothing.
 */
export class Draws {
  readonly #task: SharedDrawTask;
  readonly #others: Promise<Drawn[]>;

  /** @param threadEntry the compiled draw-thread.ts; without it, as in sources that were not compiled, there is no thread */
  constructor(task: DrawTask, threadEntry = DRAW_THREAD_ENTRY) {
    this.#task = { ...task, counter: new Int32Array(new SharedArrayBuffer(4)) };
    const isWorthIt = task.rows * task.resamples * task.models.length >= WORTH_A_THREAD;
    const mayHaveOne = availableParallelism() > 1 && existsSync(threadEntry);
    this.#others = isWorthIt && mayHaveOne ? inThread(threadEntry, this.#task) : Promise.resolve([]);
    // Whoever asks is told; nobody may.
    this.#others.catch(() => undefined);
  }

  /** `[resamples][models]`; call it once. */
  async metrics(): Promise<Metrics[][]> {
    const mine = takeDraws(this.#task);
    const all = [...mine, ...(await this.#others)];
    return all.sort(([a], [b]) => a - b).map(([, metrics]) => metrics);
  }

  /** Leaves the draws that nobody has taken, and waits for those that are at work: for a `finally`, as a thread goes on by itself. */
  async stop(): Promise<void> {
    Atomics.store(this.#task.counter, 0, this.#task.resamples);
    await this.#others.catch(() => undefined);
  }
}

async function inThread(entry: string, task: SharedDrawTask): Promise<Drawn[]> {
  let crew: Crew<never, Drawn[]> | undefined;
  try {
    return await new Promise<Drawn[]>((resolve, reject) => {
      crew = new Crew<never, Drawn[]>(entry, 1, task, resolve, reject, { mayExit: true });
    });
  } finally {
    await crew?.stop();
  }
}
