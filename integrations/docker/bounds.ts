import type Docker from 'dockerode';
import { RetrainError } from '../../contracts/errors';
import { unsafe, usedBytes } from './outputs';
import { PIDS_LIMIT } from './stage-container';

const INTERVAL_MS = 1000;

/** Looks near the limit of processes: a pool that uses it up for a moment is no fork bomb. */
const LOOKS_AT_LIMIT = 4;

const NEAR_LIMIT = 0.8;

/** Intervals; an engine that does not answer in time must not keep the disk and the deadline from being looked at. */
const STATS_WITHIN = 5;

/**
 * Watches what no limit of the kernel ends: a disk that fills, a fork bomb that runs on at its limit of processes, a
 * stage past its time. Resolves with what was broken, once.
 */
export class Bounds {
  private timer: NodeJS.Timeout | undefined;
  private atLimit = 0;

  constructor(
    private readonly container: Docker.Container,
    private readonly limits: {
      stage: string;
      out: string;
      diskBytes: number;
      disk: string;
      /** Epoch ms; absent: none. */
      deadline?: number;
      timeout?: string;
    },
    private readonly intervalMs = INTERVAL_MS,
  ) {}

  /** Looks every interval (a second) until `stop`. @param broken is called at most once */
  watch(broken: (error: RetrainError) => void): void {
    const look = async (): Promise<void> => {
      const found = await this.look();
      if (this.timer === undefined) return;
      if (found === undefined) this.timer = setTimeout(() => void look(), this.intervalMs);
      else broken(found);
    };
    this.timer = setTimeout(() => void look(), this.intervalMs);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async look(): Promise<RetrainError | undefined> {
    const { stage, out, diskBytes, disk, deadline, timeout = '' } = this.limits;
    if (deadline !== undefined && Date.now() > deadline) {
      return new RetrainError('STAGE_TIMED_OUT', `${stage} ran longer than its timeout of ${timeout}`);
    }
    try {
      if ((await usedBytes(out, stage)) > diskBytes) {
        return unsafe(stage, `wrote more than its limit of ${disk} to /stage/out`);
      }
    } catch (error) {
      if (error instanceof RetrainError) return error;
    }
    // A bomb's processes die as fast as new ones fail to start, so near the limit counts, and a dip does not clear it.
    const processes = await this.processes();
    if (processes === undefined) return undefined;
    this.atLimit = Math.max(0, this.atLimit + (processes >= NEAR_LIMIT * PIDS_LIMIT ? 1 : -1));
    if (this.atLimit < LOOKS_AT_LIMIT) return undefined;
    return unsafe(
      stage,
      `stayed at its limit of ${PIDS_LIMIT} processes and threads: a fork bomb, or too large a pool`,
    );
  }

  /** undefined when the engine does not say, or not in time. */
  private async processes(): Promise<number | undefined> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), STATS_WITHIN * this.intervalMs);
    const options = { stream: false as const, 'one-shot': true, abortSignal: late.signal };
    try {
      return (await this.container.stats(options)).pids_stats?.current;
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }
}
