// A thread that helps to boost: it does units of the phases that the leader puts on the board.
import { parentPort } from 'node:worker_threads';
import type { BoostWork } from './helpers';
import { lossFor } from './loss';
import { Share } from './share';
import { PhaseBoard } from './phase-board';

parentPort?.once('message', ({ memory, targets, settings }: BoostWork) => {
  new PhaseBoard(memory.board).serve(new Share(memory, lossFor(targets), settings).work);
});
