import { type Screen } from './screen';

/** A block of lines on stderr that is drawn over itself. Not on a terminal: nothing is drawn. */
export class LiveLines {
  private drawn = 0;

  constructor(private readonly screen: Screen) {}

  draw(lines: readonly string[]): void {
    if (!this.screen.live) return;
    this.screen.draw(lines, this.drawn);
    this.drawn = lines.length;
  }

  /** Leaves the block as it is; what is drawn next comes below it. */
  keep(): void {
    this.drawn = 0;
  }
}
