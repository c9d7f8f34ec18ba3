import { readFileSync } from 'node:fs';
import path from 'node:path';
import { TrainParams } from '../../contracts/train-params';
import type { LabelledMatrix } from '../../ml/dataset/matrix';
import { trainerFor } from '../../ml/trainer/catalog';
import { median, timed } from '../measure';

const WARM_UP = 5;
const RUNS = 21;

/** Middle time, in ms, of training 100 trees on iris in a process that has done so before, as a worker has. */
export async function timeIris(): Promise<number> {
  const table = readIris(path.join(__dirname, '..', '..', '..', 'data', 'iris.csv'));
  const params = TrainParams.parse({ engine: 'histogram' });
  const times: number[] = [];
  for (let run = 0; run < WARM_UP + RUNS; run++) {
    times.push(await timed(() => trainerFor(params.algorithm, params.engine).train(table, params)));
  }
  return median(times.slice(WARM_UP));
}

function readIris(file: string): LabelledMatrix {
  const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const cells = lines.map((line) => line.split(','));
  const names = [...new Set(cells.map((row) => row[4]))];
  const rows = cells.length;
  const values = new Float32Array(4 * rows);
  cells.forEach((row, i) => {
    for (let f = 0; f < 4; f++) values[f * rows + i] = Number(row[f]);
  });
  const labels = Uint32Array.from(cells, (row) => names.indexOf(row[4]));
  return { values, rows, features: 4, labels, classes: names.length };
}
