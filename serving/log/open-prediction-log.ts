import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Label } from '../model/served-model';
import { dayOf } from './day-folder';
import {
  DEFAULT_FLUSH_MS,
  DEFAULT_QUEUE_BYTES,
  DEFAULT_QUEUE_ROWS,
  DEFAULT_RETENTION_DAYS,
  type PredictionLogOptions,
} from './log-options';
import { type PendingLabel, type ThreadData, type WriteOrder, type WriteReport } from './pending-rows';
import { type LoggedPrediction, type LogStatus, type PredictionLog } from './prediction-log';
import { RowBuffer } from './row-buffer';
import { isSampled } from './sampled';

const THREAD_ENTRY = path.join(__dirname, 'log-thread.js');
const DAY_MS = 86_400_000;
/** So many rows do not wait for the second to pass. */
const FLUSH_ROWS = 20_000;
/** True labels that may wait, and the longest id that is taken. */
const MOST_LABELS = 20_000;
const LONGEST_ID = 256;
const LONGEST_LABEL = 1000;
/** Versions and days whose predictions wait at a time; more than a canary, a shadow and midnight need. */
const MOST_BUFFERS = 64;

/**
 * A log of predictions in daily Parquet files: see docs/decisions for their layout. `add` gathers columns in memory; a thread of its
 * own writes them every second. Neither keeps the process alive: end with `close`.
 */
export function openPredictionLog(options: PredictionLogOptions): PredictionLog {
  return new DailyLog(options);
}

class DailyLog implements PredictionLog {
  readonly #options: Required<Omit<PredictionLogOptions, 'exclude'>>;
  readonly #exclude: ReadonlySet<string>;
  readonly #timer: NodeJS.Timeout;
  #thread: Worker | null = null;
  #buffers: RowBuffer[] = [];
  #labels: PendingLabel[] = [];
  /** The buffer of the last prediction, which most often is that of the next. */
  #last: RowBuffer | null = null;
  #lastDayEnds = 0;
  #queuedRows = 0;
  #queuedBytes = 0;
  /** Those of the order that the thread works on. */
  #sentRows = 0;
  #sentBytes = 0;
  #written = 0;
  #dropped = 0;
  /** Set while rows are being lost: how many had been lost before, and why. */
  #trouble: { since: number } | null = null;
  #inFlight: Promise<void> | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: PredictionLogOptions) {
    this.#options = {
      dir: options.dir,
      retentionDays: options.retentionDays ?? DEFAULT_RETENTION_DAYS,
      sample: options.sample ?? 1,
      flushMs: options.flushMs ?? DEFAULT_FLUSH_MS,
      queueRows: options.queueRows ?? DEFAULT_QUEUE_ROWS,
      queueBytes: options.queueBytes ?? DEFAULT_QUEUE_BYTES,
      onNotice: options.onNotice ?? (() => undefined),
      onJudged: options.onJudged ?? (() => undefined),
      now: options.now ?? Date.now,
    };
    this.#exclude = new Set(options.exclude);
    this.#timer = setInterval(() => void this.#flush(), this.#options.flushMs);
    this.#timer.unref();
  }

  add(prediction: LoggedPrediction): void {
    const { requestId, batch } = prediction;
    if (!isSampled(requestId, this.#options.sample)) return;
    const buffer = this.#hasRoomFor(batch.rows) ? this.#bufferOf(prediction) : null;
    if (buffer === null) {
      this.#dropped += batch.rows;
      this.#lose('its queue is full');
      return;
    }
    const before = buffer.bytes;
    buffer.append(prediction);
    this.#queuedRows += batch.rows;
    this.#queuedBytes += buffer.bytes - before;
    if (this.#queuedRows - this.#sentRows >= FLUSH_ROWS && this.#inFlight === null) void this.#flush();
  }

  feedback(requestId: string, row: number, label: Label): boolean {
    if (!isSampled(requestId, this.#options.sample)) return true;
    if (this.#closed !== null || this.#labels.length >= MOST_LABELS) return false;
    const text = typeof label === 'string' ? label.slice(0, LONGEST_LABEL) : label;
    this.#labels.push({
      at: this.#options.now(),
      requestId: requestId.slice(0, LONGEST_ID),
      row,
      label: text,
    });
    return true;
  }

  status(): LogStatus {
    return { written: this.#written, dropped: this.#dropped, queued: this.#queuedRows };
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    clearInterval(this.#timer);
    // What it is at must be done, too, though nothing else keeps the process alive any more.
    this.#thread?.ref();
    await this.#inFlight;
    await this.#flush('close');
    await this.#thread?.terminate();
    this.#thread = null;
  }

  #hasRoomFor(rows: number): boolean {
    const { queueRows, queueBytes } = this.#options;
    return this.#closed === null && this.#queuedRows + rows <= queueRows && this.#queuedBytes < queueBytes;
  }

  #bufferOf({ at, model, modelName, modelVersion, batch }: LoggedPrediction): RowBuffer | null {
    const last = this.#last;
    const near = at < this.#lastDayEnds && at >= this.#lastDayEnds - DAY_MS;
    if (near && last?.model === model && last.modelVersion === modelVersion && last.modelName === modelName) {
      return last;
    }
    const day = dayOf(at);
    let buffer = this.#buffers.find(
      (one) =>
        one.model === model &&
        one.day === day &&
        one.modelVersion === modelVersion &&
        one.modelName === modelName,
    );
    if (buffer === undefined) {
      if (this.#buffers.length >= MOST_BUFFERS) return null;
      buffer = new RowBuffer(model, modelName, modelVersion, day, batch.columns, this.#exclude);
      this.#buffers.push(buffer);
    }
    this.#last = buffer;
    this.#lastDayEnds = (Math.floor(at / DAY_MS) + 1) * DAY_MS;
    return buffer;
  }

  /** One order at a time: while the disk is slow, rows gather up to the queue's bounds. */
  #flush(kind: WriteOrder['kind'] = 'write'): Promise<void> {
    if (this.#inFlight !== null) return this.#inFlight;
    this.#inFlight = this.#send(kind).finally(() => {
      this.#inFlight = null;
    });
    return this.#inFlight;
  }

  async #send(kind: WriteOrder['kind']): Promise<void> {
    const predictions = this.#buffers.map((buffer) => buffer.take());
    const labels = this.#labels;
    [this.#buffers, this.#labels, this.#last] = [[], [], null];
    [this.#sentRows, this.#sentBytes] = [this.#queuedRows, this.#queuedBytes];
    const order: WriteOrder = { kind, now: this.#options.now(), predictions, labels };
    const report = await this.#ask(order, this.#sentRows);
    this.#queuedRows -= this.#sentRows;
    this.#queuedBytes -= this.#sentBytes;
    [this.#sentRows, this.#sentBytes] = [0, 0];
    this.#written += report.written;
    this.#dropped += report.dropped;
    if (report.trouble !== null) this.#lose(report.trouble);
    // An order with nothing to write says nothing of the disk.
    else if (report.written > 0 || labels.length > 0) this.#recover();
    for (const judged of report.judged) this.#options.onJudged(judged);
  }

  #ask(order: WriteOrder, rows: number): Promise<WriteReport> {
    const thread = (this.#thread ??= this.#start());
    return new Promise((resolve) => {
      const lost = (why: unknown): void => {
        this.#thread = null;
        const trouble = `its thread ended: ${why instanceof Error ? why.message : String(why)}`;
        settle({ written: 0, dropped: rows, trouble, judged: [] });
      };
      const settle = (report: WriteReport): void => {
        thread.off('message', settle).off('error', lost).off('exit', lost);
        thread.unref();
        resolve(report);
      };
      thread.once('message', settle).once('error', lost).once('exit', lost);
      // Listening would keep the process alive; what it wrote last is `close`'s business.
      if (order.kind === 'write') thread.unref();
      else thread.ref();
      thread.postMessage(order);
    });
  }

  #start(): Worker {
    const { dir, retentionDays } = this.#options;
    const thread = new Worker(THREAD_ENTRY, {
      workerData: { dir, retentionDays } satisfies ThreadData,
      resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 },
    });
    thread.unref();
    return thread;
  }

  #lose(why: string): void {
    if (this.#trouble !== null) return;
    this.#trouble = { since: this.#dropped };
    this.#options.onNotice(
      `the prediction log in ${this.#options.dir} is losing predictions: ${why}; make room there, or see that its disk is fast enough. It goes on by itself, and its status counts what was dropped`,
    );
  }

  #recover(): void {
    if (this.#trouble === null) return;
    const lost = this.#dropped;
    this.#trouble = null;
    this.#options.onNotice(
      `the prediction log in ${this.#options.dir} writes again; ${lost} predictions were dropped since the start`,
    );
  }
}
