import colors from 'picocolors';

/** Where a command prints. Results go to stdout; progress and errors to stderr, so that pipes get results only. */
export interface Screen {
  /** Whether lines on stderr can be rewritten. */
  live: boolean;
  out(text: string): void;
  err(text: string): void;
}

export const screen: Screen = {
  live: process.stderr.isTTY && process.stdout.isTTY,
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
};

/** Colours, where the terminal has them; NO_COLOR is honoured. */
export const paint = {
  good: colors.green,
  bad: colors.red,
  busy: colors.cyan,
  dim: colors.dim,
  strong: colors.bold,
};

const ANSI = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** Columns of a text as it is seen: colour codes take none. */
function visibleLength(text: string): number {
  return text.replace(ANSI, '').length;
}

/** Pads to a width, colour codes aside. */
function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - visibleLength(text)));
}

/** Rows of cells as aligned lines, two spaces between columns, without trailing blanks. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, visibleLength(cell))));
  }
  return rows.map((row) =>
    row
      .map((cell, i) => pad(cell, widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
