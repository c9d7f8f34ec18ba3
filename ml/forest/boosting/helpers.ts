import { join } from 'node:path';
import { Crew } from '../crew';
import { sharedTargets, type Targets } from '../histogram/targets';
import type { BoostMemory } from './memory';
import type { BoostSettings } from './settings';
import { TaskBoard } from './task-board';

/** What a helping thread is started with. */
export interface BoostThreadData {
  memory: BoostMemory;
  /** On shared memory. */
  targets: Targets;
  settings: BoostSettings;
}

/** The compiled entry file of a helping thread. */
export const BOOST_THREAD_ENTRY = join(__dirname, 'thread.js');

/** Threads that take work from a board. Stop them in a `finally`. */
export class Helpers {
  readonly board: TaskBoard;
  private readonly crew: Crew<never, never>;
  private failure: Error | undefined;

  constructor(count: number, entry: string, memory: BoostMemory, targets: Targets, settings: BoostSettings) {
    this.board = new TaskBoard(memory.board);
    const data: BoostThreadData = { memory, targets: sharedTargets(targets), settings };
    this.crew = new Crew<never, never>(
      entry,
      count,
      data,
      () => undefined,
      (error) => (this.failure ??= error),
    );
  }

  /** @throws Error what a helper ended with, if it did; call it when messages could come in */
  check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  async stop(): Promise<void> {
    this.board.close();
    await this.crew.stop();
  }
}
