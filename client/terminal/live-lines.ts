import { type Screen } from './screen';

/** A block of lines on stderr that is drawn over itself. Not on a terminal: nothing is drawn. */
export class LiveLines {
  private drawn = 0;

  constructor(private readonly screen: Screen) {}

  draw(lines: readonly string[]): void {
    if (!this.screen.live) return;
    const up = this.drawn > 0 ? `\x1b[${this.drawn}A` : '';
    this.screen.err(`${up}${lines.map((line) => `\x1b[2K${line}`).join('\n')}`);
    this.drawn = lines.length;
  }

  /** Leaves the block as it is; what is drawn next comes below it. */
  keep(): void {
    this.drawn = 0;
  }
}
