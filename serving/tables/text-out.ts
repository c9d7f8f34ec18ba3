import { type OutColumn, type Sink, type TableOut } from './out-column';

/** Rows that are put together before they are written. */
const ROWS_AT_ONCE = 8192;

/** Writes CSV as RFC 4180 has it, lines ended by a line feed; what is missing is empty. */
export class CsvOut implements TableOut {
  private begun = false;

  constructor(private readonly sink: Sink) {}

  async write(rows: number, columns: readonly OutColumn[]): Promise<void> {
    const header = this.begun ? '' : `${columns.map(({ name }) => quoted(name)).join(',')}\n`;
    this.begun = true;
    const cells = columns.map(csvCell);
    await inPieces(rows, this.sink, header, (row) => `${cells.map((cell) => cell(row)).join(',')}\n`);
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }
}

/** Writes one JSON object a line; what is missing is null. */
export class JsonLinesOut implements TableOut {
  constructor(private readonly sink: Sink) {}

  async write(rows: number, columns: readonly OutColumn[]): Promise<void> {
    const cells = columns.map(jsonCell);
    const keys = columns.map(({ name }) => `${JSON.stringify(name)}:`);
    const line = (row: number): string => `{${cells.map((cell, i) => `${keys[i]}${cell(row)}`).join(',')}}\n`;
    await inPieces(rows, this.sink, '', line);
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }
}

async function inPieces(
  rows: number,
  sink: Sink,
  first: string,
  line: (row: number) => string,
): Promise<void> {
  let text = first;
  for (let row = 0; row < rows; row++) {
    text += line(row);
    if ((row + 1) % ROWS_AT_ONCE !== 0) continue;
    await sink(Buffer.from(text));
    text = '';
  }
  if (text !== '') await sink(Buffer.from(text));
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function csvCell(column: OutColumn): (row: number) => string {
  const { type, values } = column;
  switch (type) {
    case 'double':
      return (row) => (Number.isNaN(values[row]) ? '' : String(values[row]));
    case 'int64':
      return (row) => String(values[row]);
    case 'boolean':
      return (row) => (values[row] === 1 ? 'true' : 'false');
    case 'text':
      return (row) => quoted(values[row] ?? '');
  }
}

function jsonCell(column: OutColumn): (row: number) => string {
  const { type, values } = column;
  switch (type) {
    case 'double':
      return (row) => (Number.isFinite(values[row]) ? String(values[row]) : 'null');
    case 'int64':
      return (row) => String(values[row]);
    case 'boolean':
      return (row) => (values[row] === 1 ? 'true' : 'false');
    case 'text':
      return (row) => JSON.stringify(values[row] ?? null);
  }
}
