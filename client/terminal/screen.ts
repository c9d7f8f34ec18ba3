import colors from 'picocolors';
import { plainWords } from '../../contracts/plain-words';

const ESCAPE = String.fromCharCode(27);

/** Where a command prints. Results go to stdout; progress and errors to stderr, so that pipes get results only. */
export interface Screen {
  /** Whether lines on stderr can be rewritten. */
  live: boolean;
  out(text: string): void;
  err(text: string): void;
  /** Lines on stderr, each in place of what stands there, from so many lines above on. */
  draw(lines: readonly string[], above: number): void;
}

export const screen: Screen = {
  live: process.stderr.isTTY && process.stdout.isTTY,
  out: (text) => void process.stdout.write(`${printable(text)}\n`),
  err: (text) => void process.stderr.write(`${printable(text)}\n`),
  draw: (lines, above) => {
    const up = above > 0 ? `${ESCAPE}[${above}A` : '';
    process.stderr.write(`${up}${lines.map((line) => `${ESCAPE}[2K${printable(line)}`).join('\n')}\n`);
  },
};

/** Our own colours: anything else that a terminal would obey came from somebody else. */
const OURS = new RegExp(`${ESCAPE}\\[(?:1|2|22|31|32|36|39)m`, 'g');

/** A text without commands to the terminal but our own colours. */
export function printable(text: string): string {
  let from = 0;
  let clean = '';
  for (const own of text.matchAll(OURS)) {
    clean += plainWords(text.slice(from, own.index)) + own[0];
    from = own.index + own[0].length;
  }
  return clean + plainWords(text.slice(from));
}

/** Colours, where the terminal has them; NO_COLOR is honoured. */
export const paint = {
  good: colors.green,
  bad: colors.red,
  busy: colors.cyan,
  dim: colors.dim,
  strong: colors.bold,
};

const ANSI = new RegExp(`${ESCAPE}\\[[0-9;]*m`, 'g');

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
