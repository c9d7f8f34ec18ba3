/** Where the parts of a longer task report to; `up` and the set-up run several side by side. */
export interface Progress {
  /** A part begins something, or goes on to the next thing. */
  update(part: string, doing: string): void;
  /** A part is ready; null: there is nothing to say about it. */
  done(part: string, outcome: string | null): void;
  /** No more reports: clears the live line. */
  close(): void;
}

/** How often the live line is drawn anew on a terminal. */
const REDRAW_MS = 250;

/** How often a part that is still at it is reported where there is no terminal. */
const STILL_AT_IT_MS = 15_000;

/** `Temporal`: so that the lines align from the first on. */
const WIDEST_USUAL = 8;

interface Activity {
  doing: string;
  sinceMs: number;
  reportedMs: number;
}

/**
 * Progress for people: on a terminal one live line with the time that each part has taken so far, and a line
 * for each part that is ready; elsewhere a line at each step and every 15 s.
 *
 * @param stream mostly stderr: stdout belongs to results
 */
export function createProgress(stream: NodeJS.WriteStream, now: () => number = Date.now): Progress {
  const live = stream.isTTY;
  const active = new Map<string, Activity>();
  let width = WIDEST_USUAL;

  const print = (part: string, text: string): void => {
    stream.write(`${live ? '\r\x1b[K' : ''}  ${part.padEnd(width)}  ${text}\n`);
  };
  const redraw = (): void => {
    const parts = [...active].map(([part, { doing, sinceMs }]) => {
      return `${part}: ${doing} ${elapsed(now() - sinceMs)}`;
    });
    stream.write(`\r\x1b[K${`  ${parts.join(' · ')}`.slice(0, (stream.columns || 80) - 1)}`);
  };
  const repeat = (): void => {
    for (const [part, activity] of active) {
      if (now() - activity.reportedMs < STILL_AT_IT_MS) continue;
      activity.reportedMs = now();
      print(part, `${activity.doing} … ${elapsed(now() - activity.sinceMs)}`);
    }
  };
  const timer = setInterval(live ? redraw : repeat, live ? REDRAW_MS : 1_000);
  timer.unref();

  return {
    update(part, doing) {
      width = Math.max(width, part.length);
      const before = active.get(part);
      if (before?.doing === doing) return;
      active.set(part, { doing, sinceMs: before?.sinceMs ?? now(), reportedMs: now() });
      if (live) redraw();
      else print(part, doing);
    },
    done(part, outcome) {
      active.delete(part);
      if (outcome !== null) print(part, outcome);
      if (live && active.size > 0) redraw();
    },
    close() {
      clearInterval(timer);
      if (live) stream.write('\r\x1b[K');
    },
  };
}

/** Progress that goes nowhere, for `--json` and tests. */
export const silentProgress: Progress = { update() {}, done() {}, close() {} };

/** `8s`, `2m05s`. */
export function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds}s`;
  return `${minutes}m${String(seconds % 60).padStart(2, '0')}s`;
}
