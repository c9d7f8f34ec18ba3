// A thread that measures draws of a bootstrap for `Draws`, taking them from a counter in shared memory.
import { parentPort, workerData } from 'node:worker_threads';
import { type SharedDrawTask, takeDraws } from './draws';

parentPort?.postMessage(takeDraws(workerData as SharedDrawTask));
