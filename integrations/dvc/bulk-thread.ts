// A thread of `digestMany`.
import { parentPort, workerData } from 'node:worker_threads';
import { takeFiles, type BulkInput } from './take-files';

parentPort?.postMessage(takeFiles(workerData as BulkInput));
