import { setCurrentDetails } from '@temporalio/workflow';
import { type CollectedDay, type CollectedTraining, type FailedDay } from '../contracts/collect';
import { markdownWords } from '../contracts/plain-words';

/** More lines than these, and the oldest go. */
const MOST_LINES = 50;

/** A day with where it came from, as a line of Markdown. */
export function dayLine(day: CollectedDay): string {
  const { source, outcome, file, rows, quarantined, sha256, url, container, etag } = day;
  const what =
    file === null ? 'no rows' : `${rows} rows in ${markdownWords(file)} (${sha256?.slice(0, 12) ?? ''})`;
  const refused = quarantined === 0 ? '' : `, **${quarantined} in quarantine**`;
  const tag = etag === null ? '' : `, ETag ${markdownWords(etag.slice(0, 60))}`;
  return `- ${markdownWords(source)} ${day.day}: **${outcome}**, ${what}${refused}; from ${markdownWords(url ?? container?.image ?? '')}${tag}`;
}

/** What the Web UI shows of a collection while it goes on. */
export class CollectBoard {
  private readonly lines: string[] = [];
  private done = 0;

  constructor(private readonly all: number) {
    this.show();
  }

  day(day: CollectedDay): void {
    this.add(dayLine(day));
  }

  failed({ source, day, message }: FailedDay): void {
    this.add(`- ${markdownWords(source)} ${day}: **failed**, ${markdownWords(message)}`);
  }

  end(training: CollectedTraining | null, left: number): void {
    if (left > 0) this.lines.push(`\n${left} more days are due.`);
    if (training !== null) {
      const where = training.workflowId === undefined ? '' : ` \`${training.workflowId}\``;
      this.lines.push(`\nTraining: ${training.how}${where}`);
    }
    this.show();
  }

  private add(line: string): void {
    this.done++;
    this.lines.push(line);
    if (this.lines.length > MOST_LINES) this.lines.shift();
    this.show();
  }

  private show(): void {
    setCurrentDetails([`**${this.done} of ${this.all}** days`, '', ...this.lines].join('\n'));
  }
}
