import { median } from '../measure';

/** What a process of this benchmark prints about itself, as one line of JSON. */
export interface Figures {
  /** Wall and CPU time of what is measured. */
  seconds: number;
  cpuSeconds: number;
  /** Peak memory of the process. */
  peakMiB: number;
  /** On the rows held out. */
  auc: number;
}

/** Several rounds of one contestant. */
export interface Summary extends Figures {
  work: string;
  name: string;
  /** Its wall time over ours, and its CPU time: the middle ones of the rounds. */
  ratio: number;
  cpuRatio: number;
}

/**
 * Sums up the rounds of one contestant beside our own rounds. Its time is the least: others' load only adds to it.
 */
export function summarize(
  work: string,
  name: string,
  theirs: readonly Figures[],
  ours: readonly Figures[],
): Summary {
  const ratio = (of: 'seconds' | 'cpuSeconds'): number =>
    median(theirs.map((figures, round) => figures[of] / (ours[round]?.[of] ?? NaN)));
  return {
    work,
    name,
    seconds: Math.min(...theirs.map(({ seconds }) => seconds)),
    cpuSeconds: Math.min(...theirs.map(({ cpuSeconds }) => cpuSeconds)),
    peakMiB: Math.max(...theirs.map(({ peakMiB }) => peakMiB)),
    auc: theirs.reduce((sum, { auc }) => sum + auc, 0) / theirs.length,
    ratio: ratio('seconds'),
    cpuRatio: ratio('cpuSeconds'),
  };
}

/** Runs some work and measures it; the peak of memory is that of the process so far. */
export async function measured(work: () => Promise<unknown>): Promise<Omit<Figures, 'auc'>> {
  const before = process.cpuUsage();
  const begun = performance.now();
  await work();
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { seconds, cpuSeconds: (user + system) / 1e6, peakMiB: process.resourceUsage().maxRSS / 1024 };
}
