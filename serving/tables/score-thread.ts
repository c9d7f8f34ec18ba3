// A thread that walks blocks of prepared rows through a forest, for `ScoreCrew`.
import { parentPort, workerData } from 'node:worker_threads';
import { PackedPredictor } from '../../ml/forest/packed/predict-packed';
import { type Block, type CrewMember } from './score-crew';

const { packed, thread } = workerData as CrewMember;
const predictor = new PackedPredictor(packed, thread);

parentPort?.on('message', ({ id, table, predictions }: Block) => {
  predictor.predict(table, predictions);
  parentPort?.postMessage(id);
});
