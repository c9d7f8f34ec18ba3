import { type Column } from '../../ml/dataset/raw-table';
import { type Answers, type Label, type ServedModel } from '../model/served-model';
import { type PendingColumn, type PendingOutcome, type PendingRows, ROLES } from './pending-rows';
import { type LoggedPrediction } from './prediction-log';

const FIRST_ROWS = 256;
/** What a row costs beside its columns: outcome, and its share of a request. */
const ROW_BYTES = 40;
const REQUEST_BYTES = 64;

/**
 * Predictions of one model version on one day, gathered by column: a request costs a few stores into arrays and leaves no object
 * behind for the garbage collector.
 */
export class RowBuffer {
  rows = 0;
  bytes = 0;
  #requests = 0;
  #at = new Float64Array(FIRST_ROWS);
  #latency = new Float64Array(FIRST_ROWS);
  #roles = new Uint8Array(FIRST_ROWS);
  #counts = new Int32Array(FIRST_ROWS);
  readonly #requestIds: string[] = [];
  /** Of rows; `codes` is empty for a regression, `outcome` holds probabilities or values. */
  #codes: Int32Array;
  #outcome = new Float64Array(FIRST_ROWS);
  readonly #classes: readonly Label[];
  readonly #codeOf: Map<Label, number>;
  readonly #kept: { index: number; column: PendingColumn }[];

  constructor(
    readonly model: ServedModel,
    readonly modelName: string,
    readonly modelVersion: string,
    readonly day: string,
    columns: readonly Column[],
    exclude: ReadonlySet<string>,
  ) {
    this.#classes = model.classes;
    this.#codeOf = new Map(model.classes.map((label, code) => [label, code]));
    this.#codes = new Int32Array(model.task === 'classification' ? FIRST_ROWS : 0);
    this.#kept = columns.flatMap(({ name, kind }, index) =>
      exclude.has(name) ? [] : [{ index, column: emptyColumn(name, kind) }],
    );
  }

  /** Copies it in; the caller may change its arrays afterwards. */
  append({ at, requestId, role, latencyMs, batch, answers }: LoggedPrediction): void {
    this.#growRequests();
    const request = this.#requests++;
    this.#at[request] = at;
    this.#latency[request] = latencyMs ?? Number.NaN;
    this.#roles[request] = ROLES.indexOf(role);
    this.#counts[request] = batch.rows;
    this.#requestIds.push(requestId);
    this.#growRows(this.rows + batch.rows);
    let bytes = REQUEST_BYTES + requestId.length * 2 + batch.rows * ROW_BYTES;
    for (const { index, column } of this.#kept)
      bytes += appendCells(column, batch.columns[index], this.rows, batch.rows);
    this.#appendOutcome(answers, batch.rows);
    this.rows += batch.rows;
    this.bytes += bytes;
  }

  /** All that is in it, cut to size. */
  take(): PendingRows {
    const outcome: PendingOutcome =
      this.model.task === 'classification'
        ? {
            kind: 'label',
            classes: this.#classes,
            codes: this.#codes.slice(0, this.rows),
            probability: this.#outcome.slice(0, this.rows),
          }
        : { kind: 'value', values: this.#outcome.slice(0, this.rows) };
    return {
      day: this.day,
      modelName: this.modelName,
      modelVersion: this.modelVersion,
      rows: this.rows,
      at: this.#at.slice(0, this.#requests),
      latency: this.#latency.slice(0, this.#requests),
      requestIds: this.#requestIds,
      roles: this.#roles.slice(0, this.#requests),
      counts: this.#counts.slice(0, this.#requests),
      outcome,
      columns: this.#kept.map(({ column }) =>
        column.kind === 'number' ? { ...column, values: column.values.slice(0, this.rows) } : column,
      ),
    };
  }

  #appendOutcome({ labels, probabilities, values }: Answers, rows: number): void {
    const classes = this.#classes.length;
    for (let row = 0; row < rows; row += 1) {
      const to = this.rows + row;
      if (this.model.task === 'regression') {
        this.#outcome[to] = values?.[row] ?? Number.NaN;
        continue;
      }
      const label = labels?.[row];
      const code = label === undefined ? -1 : (this.#codeOf.get(label) ?? -1);
      this.#codes[to] = code;
      this.#outcome[to] = code < 0 ? Number.NaN : (probabilities?.[row * classes + code] ?? Number.NaN);
    }
  }

  #growRequests(): void {
    if (this.#requests < this.#at.length) return;
    const size = this.#at.length * 2;
    this.#at = grown(this.#at, new Float64Array(size));
    this.#latency = grown(this.#latency, new Float64Array(size));
    this.#roles = grown(this.#roles, new Uint8Array(size));
    this.#counts = grown(this.#counts, new Int32Array(size));
  }

  #growRows(needed: number): void {
    if (needed <= this.#outcome.length) return;
    const size = Math.max(needed, this.#outcome.length * 2);
    this.#outcome = grown(this.#outcome, new Float64Array(size));
    if (this.model.task === 'classification') this.#codes = grown(this.#codes, new Int32Array(size));
    for (const { column } of this.#kept) {
      if (column.kind === 'number') column.values = grown(column.values, new Float64Array(size));
    }
  }
}

function emptyColumn(name: string, kind: Column['kind']): PendingColumn {
  return kind === 'number'
    ? { kind, name, values: new Float64Array(FIRST_ROWS) }
    : { kind, name, values: [] };
}

/** @returns bytes that it takes */
function appendCells(to: PendingColumn, from: Column | undefined, start: number, rows: number): number {
  if (to.kind === 'number') {
    const values = from?.kind === 'number' ? from.values : undefined;
    for (let row = 0; row < rows; row += 1) to.values[start + row] = values?.[row] ?? Number.NaN;
    return rows * 8;
  }
  let bytes = rows * 8;
  for (let row = 0; row < rows; row += 1) {
    const text = from?.kind === 'text' ? (from.levels[from.codes[row] ?? -1] ?? null) : null;
    to.values.push(text);
    bytes += (text?.length ?? 0) * 2;
  }
  return bytes;
}

function grown<T extends Float64Array | Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
