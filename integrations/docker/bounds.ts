import type Docker from 'dockerode';
import { RetrainError } from '../../contracts/errors';
import { unsafe, usedBytes } from './outputs';
import { PIDS_LIMIT } from './stage-container';

const INTERVAL_MS = 1000;

/** Looks near the limit of processes: a pool that uses it up for a moment is no fork bomb. */
const LOOKS_AT_LIMIT = 4;

const NEAR_LIMIT = 0.8;

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
  ) {}

  /** Looks every second until `stop`. @param broken is called at most once */
  watch(broken: (error: RetrainError) => void): void {
    const look = async (): Promise<void> => {
      const found = await this.look();
      if (this.timer === undefined) return;
      if (found === undefined) this.timer = setTimeout(() => void look(), INTERVAL_MS);
      else broken(found);
    };
    this.timer = setTimeout(() => void look(), INTERVAL_MS);
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
    const near = (await this.processes()) >= NEAR_LIMIT * PIDS_LIMIT;
    this.atLimit = Math.max(0, this.atLimit + (near ? 1 : -1));
    if (this.atLimit < LOOKS_AT_LIMIT) return undefined;
    return unsafe(
      stage,
      `stayed at its limit of ${PIDS_LIMIT} processes and threads: a fork bomb, or too large a pool`,
    );
  }

  /** 0 when the engine does not say. */
  private async processes(): Promise<number> {
    try {
      const stats = await this.container.stats({ stream: false, 'one-shot': true });
      return stats.pids_stats?.current ?? 0;
    } catch {
      return 0;
    }
  }
}
