import { plainLine } from '../../contracts/plain-words';

/** What stands for values that there is no room for. */
export const OTHER = 'other';

/** A label is a name, and no text. */
const MOST_CHARACTERS = 100;

/** A value as a label: one line of plain characters, cut. Empty: `unknown`. */
export function labelValue(text: string): string {
  const line = plainLine(text).trim();
  if (line === '') return 'unknown';
  return line.length <= MOST_CHARACTERS ? line : `${line.slice(0, MOST_CHARACTERS - 1)}…`;
}

/**
 * Values of a label that strangers choose: each is a series in the memory of this process and of whoever scrapes it. The first ones keep
 * their names, all that come later share one.
 */
export class BoundedLabel {
  private readonly seen = new Set<string>();

  constructor(private readonly most: number) {}

  of(text: string): string {
    const value = labelValue(text);
    if (this.seen.has(value)) return value;
    if (this.seen.size >= this.most) return OTHER;
    this.seen.add(value);
    return value;
  }
}
