import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { StringDecoder } from 'node:string_decoder';
import { Writable } from 'node:stream';
import { parseProgressLine } from '../../contracts/progress-line';
import { type StageProgress } from '../../contracts/stage';
import { type SecretMask } from './secret-mask';

/** Kept of a log; a stage that writes more is cut there. */
const KEPT_BYTES = 16 * 1024 ** 2;

/** Lines that are passed on; all of them are in the file. */
const PASSED_ON = 1000;

/** A line is cut here, so that output without line ends does not fill the memory. */
const LINE_CHARACTERS = 8192;

const TAIL_LINES = 5;
const TAIL_CHARACTERS = 300;

/** What a container prints: to a file, line by line to a listener, and its last lines for the failure message. */
export class StageLog {
  readonly stdout: Writable;
  readonly stderr: Writable;
  private readonly file: WriteStream;
  private readonly last: string[] = [];
  private readonly flushes: (() => void)[] = [];
  private written = 0;
  private passed = 0;
  private failure: unknown;

  /**
   * @param path of the file, which is written anew
   * @param mask hides what must not be told from the file, the listener and the failure message
   * @param listener gets each line, and each progress report: a JSON line on stdout with a `phase`
   */
  constructor(
    readonly path: string,
    private readonly mask: SecretMask,
    private readonly listener: { line(text: string): void; progress(progress: StageProgress): void },
  ) {
    this.file = createWriteStream(path);
    this.file.on('error', (error) => (this.failure = error));
    this.stdout = this.lines(true);
    this.stderr = this.lines(false);
  }

  /** The last lines, on one: what people look for in a failure message. */
  get tail(): string {
    return this.last.join(' | ');
  }

  /** Writes what is left and closes the file. A log that cannot be written fails no stage. */
  async close(): Promise<void> {
    for (const flush of this.flushes) flush();
    if (this.failure !== undefined) return;
    this.file.end();
    await once(this.file, 'close').catch(() => undefined);
  }

  private lines(isStdout: boolean): Writable {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    this.flushes.push(() => {
      if (rest !== '') this.take(rest, isStdout);
      rest = '';
    });
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        const parts = (rest + decoder.write(chunk)).split('\n');
        rest = parts.pop() ?? '';
        for (const line of parts) this.take(line, isStdout);
        while (rest.length > LINE_CHARACTERS) {
          this.take(rest.slice(0, LINE_CHARACTERS), isStdout);
          rest = rest.slice(LINE_CHARACTERS);
        }
        done();
      },
    });
  }

  private take(text: string, isStdout: boolean): void {
    const line = this.mask.text(text.replace(/\r$/, ''));
    this.keep(line);
    const progress = isStdout ? parseProgressLine(line) : undefined;
    if (progress !== undefined) {
      this.listener.progress(progress);
      return;
    }
    if (line.trim() === '') return;
    this.last.push(line.trim().slice(0, TAIL_CHARACTERS));
    if (this.last.length > TAIL_LINES) this.last.shift();
    this.passed++;
    if (this.passed <= PASSED_ON) this.listener.line(line);
    else if (this.passed === PASSED_ON + 1) this.listener.line('further lines are in the kept log only');
  }

  private keep(line: string): void {
    if (this.written > KEPT_BYTES) return;
    const text = `${line}\n`;
    this.written += text.length;
    this.file.write(this.written > KEPT_BYTES ? '(cut here)\n' : text);
  }
}
