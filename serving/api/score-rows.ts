import { RetrainError } from '../../contracts/errors';
import { type Answers, type Batch, type ServedModel } from '../model/served-model';
import { Problem, wrongRows } from './problem';
import { type ApiSettings } from './settings';

/** Rows that a model has read, and what it answers to them. */
export interface Scored {
  batch: Batch;
  answers: Answers;
}

/** @throws Problem 413 for too many rows, 422 for none, or ones that the model does not take */
export function readRows(model: ServedModel, rows: readonly unknown[], { rowLimit }: ApiSettings): Batch {
  if (rows.length > rowLimit) {
    throw new Problem(
      413,
      'too-many-rows',
      `${rows.length} rows, expected at most ${rowLimit}; send them in several requests, or use \`retrain predict\` for tables`,
    );
  }
  if (rows.length === 0) throw new Problem(422, 'rows', 'there is no row; send at least one');
  const read = model.read(rows);
  if ('mistakes' in read) throw wrongRows(read.mistakes);
  return read.batch;
}

/** Scores with models that answer later, a bounded number at a time and for a bounded time. */
export class Scoring {
  #waiting = 0;

  constructor(private readonly settings: Pick<ApiSettings, 'concurrency' | 'scoreTimeoutMs'>) {}

  /** Requests that wait for a model now. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Answers at once where the model does, so that nothing of another request comes between.
   *
   * @throws Problem 503 while too many wait, or when it takes too long
   */
  score(model: ServedModel, batch: Batch): Answers | Promise<Answers> {
    if (this.#waiting >= this.settings.concurrency) {
      throw new Problem(
        503,
        'busy',
        `${this.#waiting} requests wait for the model already; try again in a second`,
        { retryAfter: 1 },
      );
    }
    let answers: Answers | Promise<Answers>;
    try {
      answers = model.score(batch);
    } catch (error) {
      throw cannotAnswer(error);
    }
    return answers instanceof Promise ? this.#inTime(answers) : answers;
  }

  async #inTime(answers: Promise<Answers>): Promise<Answers> {
    const { scoreTimeoutMs } = this.settings;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(
          new Problem(
            503,
            'late',
            `the model took longer than ${scoreTimeoutMs / 1000} s; send fewer rows, or try again`,
            { retryAfter: 1 },
          ),
        );
      }, scoreTimeoutMs);
    });
    this.#waiting++;
    try {
      return await Promise.race([answers, late]);
    } catch (error) {
      throw cannotAnswer(error);
    } finally {
      clearTimeout(timer);
      this.#waiting--;
    }
  }
}

function cannotAnswer(error: unknown): unknown {
  if (!(error instanceof RetrainError)) return error;
  return new Problem(503, 'model', `the model cannot answer now: ${error.message}`, { retryAfter: 1 });
}
