// A thread that helps to boost: it does units of the tasks that the leader puts on the board.
import { workerData } from 'node:worker_threads';
import type { BoostThreadData } from './helpers';
import { lossFor } from './loss';
import { Share } from './share';
import { TaskBoard } from './task-board';

const { memory, targets, settings } = workerData as BoostThreadData;

new TaskBoard(memory.board).serve(new Share(memory, lossFor(targets), settings).work);
