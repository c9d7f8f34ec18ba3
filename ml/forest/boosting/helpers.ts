import { join } from 'node:path';
import { Crew } from '../crew';
import { sharedTargets, type Targets } from '../histogram/targets';
import type { BoostMemory } from './memory';
import type { BoostSettings } from './settings';
import { PhaseBoard } from './phase-board';

/** What a helping thread is to work on. */
export interface BoostWork {
  memory: BoostMemory;
  /** On shared memory. */
  targets: Targets;
  settings: BoostSettings;
}

/** The compiled entry file of a helping thread. */
export const BOOST_THREAD_ENTRY = join(__dirname, 'thread.js');

/** Threads that take work from a board. They take a while to start; stop them in a `finally`. */
export class Helpers {
  private readonly crew: Crew<BoostWork, never>;
  private board: PhaseBoard | undefined;
  private failure: Error | undefined;

  constructor(count: number, entry: string) {
    this.crew = new Crew<BoostWork, never>(
      entry,
      count,
      undefined,
      () => undefined,
      (error) => (this.failure ??= error),
    );
  }

  /** Tells the threads what to work on. @returns where to put it */
  begin(memory: BoostMemory, targets: Targets, settings: BoostSettings): PhaseBoard {
    this.board = new PhaseBoard(memory.board);
    this.crew.tell({ memory, targets: sharedTargets(targets), settings });
    return this.board;
  }

  /** @throws Error what a helper ended with, if it did; call it when messages could come in */
  check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  async stop(): Promise<void> {
    this.board?.close();
    await this.crew.stop();
  }
}
