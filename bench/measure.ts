/** The middle one of some numbers; of an even count, the lower middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
}

/** Wall time of some work, in ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/**
 * Time during which at least one of several overlapping things was going on, in ms: what is left of a wall
 * time when it is taken off is nobody's but ours.
 */
export class BusyClock {
  private active = 0;
  private since = 0;
  private total = 0;

  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.active++ === 0) this.since = performance.now();
    try {
      return await work();
    } finally {
      if (--this.active === 0) this.total += performance.now() - this.since;
    }
  }

  /** Ms so far; starts again from zero. */
  take(): number {
    const { total } = this;
    this.total = 0;
    return total;
  }
}

export interface Finding {
  /** What was compared: `overhead of a run on iris`. */
  what: string;
  ours: number;
  peer: number;
  unit: string;
  /** ours/peer, the median over pairs. */
  ratio: number;
  /** What it should be: `≤ 3`. */
  aim: string;
}

/** Prints findings, as JSON for machines or as lines for people. */
export function report(bench: string, findings: readonly Finding[]): void {
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ bench, findings }));
    return;
  }
  for (const { what, ours, peer, unit, ratio, aim } of findings) {
    console.log(
      `${bench}: ${what}: ${shown(ours)} against ${shown(peer)} ${unit}, ratio ${ratio.toFixed(2)} (aim ${aim})`,
    );
  }
}

const shown = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
