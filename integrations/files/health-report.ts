import { z } from 'zod';

const Check = z.looseObject({
  ok: z.boolean(),
  /** One line for people: what was seen, and the limit where it is not ok. */
  note: z.string(),
});
export type Check = z.infer<typeof Check>;

/** What a worker tells of itself over HTTP. */
export const HealthReport = z.object({
  /** The process gets on with its work. */
  live: z.boolean(),
  /** And it has what it needs for it. */
  ready: z.boolean(),
  checks: z.object({
    /** Temporal has seen its polls of late. */
    poller: Check,
    /** Nothing has kept the main thread from its events for long. */
    eventLoop: Check,
    /** A thread for file operations comes free. */
    fileThreads: Check,
    /** Threads that stages compute in; being busy is no illness. */
    stageThreads: Check,
    /** Room for state and content store. */
    disk: Check,
  }),
});
export type HealthReport = z.infer<typeof HealthReport>;

/** A worker that is asked and is well answers in milliseconds. */
const ANSWERS_WITHIN_MS = 8000;

/** Asks a worker how it is. @returns null when it does not answer */
export async function askHealth(url: string, signal?: AbortSignal): Promise<HealthReport | null> {
  const limit = AbortSignal.timeout(ANSWERS_WITHIN_MS);
  try {
    const response = await fetch(`${url}/ready`, {
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    });
    return HealthReport.parse(await response.json());
  } catch {
    return null;
  }
}

/** What is wrong, in one line; empty when all is well. */
export function complaintOf(report: HealthReport | null): string {
  if (report === null) return 'it does not answer';
  return Object.values(report.checks)
    .filter(({ ok }) => !ok)
    .map(({ note }) => note)
    .join('; ');
}
