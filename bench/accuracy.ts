/**
 * `npm run bench -- accuracy [SEEDS] [TABLE…] [--json]`: our random forest beside scikit-learn's, both with their defaults, on thirty
 * tables (generated with fixed seeds, and those that scikit-learn ships), five seeds each; thirty where fewer than 200 rows are held out. A table counts as lost when our
 * mean is below scikit-learn's by more than its own scores spread over the seeds; the exit code is 1 if one is.
 * Names of tables choose among them. RETRAIN_BENCH_PYTHON names a Python with scikit-learn.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TrainParams } from '../contracts/train-params';
import { classNumbers } from '../ml/forest/predict';
import { predictTable } from '../ml/model/model';
import { trainerFor } from '../ml/trainer/catalog';
import { binaryAuc } from './forest/auc';

/** What the peer prints per table. */
interface Peer {
  name: string;
  number: number;
  /** Rows. */
  train: number;
  held: number;
  features: number;
  /** 0: a regression. */
  classes: number;
  /** Per seed. */
  scores: number[];
}

interface Line extends Peer {
  ours: number[];
  lost: boolean;
}

const given = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const [seeds = 5] = given.filter((argument) => /^\d+$/.test(argument)).map(Number);
const wanted = given.filter((argument) => !/^\d+$/.test(argument));

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/** The content of a file, where an array of numbers can lie on it. */
function bytesOf(file: string): ArrayBuffer {
  const content = readFileSync(file);
  const copy = new ArrayBuffer(content.length);
  new Uint8Array(copy).set(content);
  return copy;
}

async function scoreOurs(folder: string, table: Peer, seed: number): Promise<number> {
  const { number, train, held, features, classes } = table;
  const file = (name: string): string => path.join(folder, `${number}.${name}`);
  const y = new Float64Array(bytesOf(file('y.f64')));
  const known = { values: new Float32Array(bytesOf(file('train.f32'))), rows: train, features };
  const asked = { values: new Float32Array(bytesOf(file('held.f32'))), rows: held, features };
  const params = TrainParams.parse({
    algorithm: 'random-forest',
    engine: 'histogram',
    n_estimators: 100,
    seed,
  });
  const rows =
    classes === 0
      ? { ...known, targets: Float32Array.from(y.subarray(0, train)) }
      : { ...known, labels: Uint32Array.from(y.subarray(0, train)), classes };
  const { model } = await trainerFor(params.algorithm, params.engine).train(rows, params);
  const said = await predictTable(model, asked);
  const truth = y.subarray(train);
  if (classes === 2) return binaryAuc(said, Uint32Array.from(truth));
  if (classes > 2)
    return mean(Array.from(classNumbers(said, classes), (label, i) => Number(label === truth[i])));
  const middle = mean([...truth]);
  const squares = (of: (value: number, i: number) => number): number =>
    truth.reduce((sum, value, i) => sum + of(value, i) ** 2, 0);
  return 1 - squares((value, i) => value - (said[i] ?? NaN)) / squares((value) => value - middle);
}

async function compare(folder: string, peer: Peer): Promise<Line> {
  const ours: number[] = [];
  for (let seed = 0; seed < peer.scores.length; seed++) ours.push(await scoreOurs(folder, peer, seed));
  const spread = Math.max(...peer.scores) - Math.min(...peer.scores);
  return { ...peer, ours, lost: mean(peer.scores) - mean(ours) > spread };
}

function show({ name, train, features, classes, scores, ours, lost }: Line): void {
  const metric = classes === 0 ? 'R²' : classes === 2 ? 'AUC' : 'accuracy';
  const spread = Math.max(...scores) - Math.min(...scores);
  console.log(
    `${name.padEnd(14)} ${String(train).padStart(6)} × ${String(features).padEnd(3)} ${metric.padEnd(8)} ` +
      `ours ${mean(ours).toFixed(4)}  scikit-learn ${mean(scores).toFixed(4)} (spread ${spread.toFixed(4)})${lost ? '  lost' : ''}`,
  );
}

async function main(): Promise<void> {
  const python = process.env['RETRAIN_BENCH_PYTHON'];
  if (python === undefined) {
    console.error('accuracy: RETRAIN_BENCH_PYTHON is not set: expected a Python with scikit-learn');
    return;
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'retrain-accuracy-'));
  try {
    const script = path.join(__dirname, '..', '..', 'bench', 'peers', 'accuracy.py');
    const { status, stdout, stderr } = spawnSync(python, [script, folder, String(seeds), ...wanted], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${script} failed: ${stderr.slice(-2000)}`);
    const lines: Line[] = [];
    for (const json of stdout.trim().split('\n')) lines.push(await compare(folder, JSON.parse(json) as Peer));
    if (process.argv.includes('--json')) console.log(JSON.stringify(lines));
    else lines.forEach(show);
    const lost = lines.filter((line) => line.lost).length;
    if (!process.argv.includes('--json')) console.log(`${lines.length} tables, ${lost} lost`);
    process.exitCode = lost === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

void main();
