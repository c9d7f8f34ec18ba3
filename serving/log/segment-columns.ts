import { type Label } from '../model/served-model';
import { type Cell, type ColumnType, type FileColumn } from './parquet-file';
import { type PendingLabel, type PendingOutcome, type PendingRows, ROLES } from './pending-rows';

/** Begins the name of each column of the model, so that none is taken for one of ours. */
export const FEATURE = 'feature_';

const INT32 = 2 ** 31;

/** Predictions as the columns of a file: one row for each row of each request. */
export function predictionColumns(pending: PendingRows): FileColumn[] {
  const { rows, counts, modelName, modelVersion } = pending;
  const requestOf = new Int32Array(rows);
  const rowOf = new Int32Array(rows);
  let next = 0;
  counts.forEach((count, request) => {
    for (let row = 0; row < count; row += 1, next += 1) {
      requestOf[next] = request;
      rowOf[next] = row;
    }
  });
  const each = (cell: (request: number) => Cell): Cell[] => Array.from(requestOf, cell);
  const dates = Array.from(pending.at, (at) => new Date(at));
  return [
    { name: 'time', type: 'TIMESTAMP', data: each((request) => dates[request] ?? null) },
    { name: 'request_id', type: 'STRING', data: each((request) => pending.requestIds[request] ?? null) },
    { name: 'row', type: 'INT32', data: rowOf },
    { name: 'model_name', type: 'STRING', data: each(() => modelName) },
    { name: 'model_version', type: 'STRING', data: each(() => modelVersion) },
    { name: 'role', type: 'STRING', data: each((request) => ROLES[pending.roles[request] ?? 0] ?? null) },
    ...outcomeColumns(pending.outcome),
    {
      name: 'latency_ms',
      type: 'DOUBLE',
      data: numbers(Float64Array.from(requestOf, (request) => pending.latency[request] ?? Number.NaN)),
    },
    ...pending.columns.map((column): FileColumn =>
      column.kind === 'number'
        ? { name: FEATURE + column.name, type: 'DOUBLE', data: numbers(column.values) }
        : { name: FEATURE + column.name, type: 'STRING', data: column.values },
    ),
  ];
}

/** True labels as the columns of a file: as a text each, and as a number where it is one. */
export function labelColumns(labels: readonly PendingLabel[]): FileColumn[] {
  return [
    { name: 'time', type: 'TIMESTAMP', data: labels.map(({ at }) => new Date(at)) },
    { name: 'request_id', type: 'STRING', data: labels.map(({ requestId }) => requestId) },
    { name: 'row', type: 'INT32', data: labels.map(({ row }) => row) },
    { name: 'label', type: 'STRING', data: labels.map(({ label }) => String(label)) },
    {
      name: 'label_number',
      type: 'DOUBLE',
      data: labels.map(({ label }) => (typeof label === 'number' ? label : null)),
    },
  ];
}

function outcomeColumns(outcome: PendingOutcome): FileColumn[] {
  if (outcome.kind === 'value') {
    return [{ name: 'prediction', type: 'DOUBLE', data: numbers(outcome.values) }];
  }
  const { classes, codes, probability } = outcome;
  const type = typeOfClasses(classes);
  const cells = type === 'STRING' ? classes.map(String) : classes;
  return [
    {
      name: 'prediction',
      type,
      data: Array.from(codes, (code) => cells[code] ?? null),
    },
    { name: 'probability', type: 'DOUBLE', data: numbers(probability) },
  ];
}

function typeOfClasses(classes: readonly Label[]): ColumnType {
  if (classes.every((label) => typeof label === 'boolean')) return 'BOOLEAN';
  if (classes.every((label) => typeof label === 'number')) {
    return classes.every((label) => Number.isInteger(label) && Math.abs(label) < INT32) ? 'INT32' : 'DOUBLE';
  }
  return 'STRING';
}

/** A missing number is no NaN in a file, but nothing. */
function numbers(values: Float64Array): Cell[] | Float64Array {
  return values.includes(Number.NaN)
    ? Array.from(values, (value) => (Number.isNaN(value) ? null : value))
    : values;
}
