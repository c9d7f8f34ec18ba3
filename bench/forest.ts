/**
 * `npm run bench -- forest [ROWS [ROUNDS]] [--json]`: the histogram forest and boosting against scikit-learn, LightGBM,
 * XGBoost and onnxruntime, on synthetic credit tables (default 150,000 rows, a fifth held out; a million for the
 * lines that say so) and on iris. Every training is a process of its own, on two threads; in each round ours and the
 * peers' run one after the other with the same seed, and what is printed is the middle ratio of the rounds. AUC is the
 * mean over the seeds. RETRAIN_BENCH_PYTHON names a Python with scikit-learn, lightgbm and xgboost; without it, only our
 * own figures are printed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { timeIris } from './forest/iris';
import { summarize, type Figures, type Summary } from './forest/figures';
import { writeTableFile } from './forest/table-file';

const LARGE = 1_000_000;

/** What needs no Python. */
const OWN: readonly string[] = ['retrain', 'one thread', 'onnxruntime'];

interface Work {
  work: string;
  /** Rows of the table. */
  rows: number;
  rounds: number;
  params: Record<string, unknown>;
  peers: string[];
  /** Rows to predict, if that is what is measured. */
  predict?: number;
}

const python = process.env['RETRAIN_BENCH_PYTHON'];
const json = process.argv.includes('--json');
const [rows = 150_000, rounds = 3] = process.argv
  .slice(2)
  .filter((argument) => /^\d+$/.test(argument))
  .map(Number);

const WORK: Work[] = [
  { work: 'forest', rows, rounds, params: {}, peers: ['sklearn'] },
  {
    work: 'forest, max_depth 10',
    rows,
    rounds,
    params: { max_depth: 10 },
    peers: ['sklearn', 'lightgbm-forest', 'xgboost-forest'],
  },
  {
    work: 'gradient boosting',
    rows,
    rounds,
    params: { algorithm: 'gradient-boosting' },
    peers: ['one thread', 'lightgbm'],
  },
  {
    work: 'predict 1M, max_depth 10',
    rows,
    rounds,
    params: { max_depth: 10 },
    peers: ['sklearn', 'onnxruntime'],
    predict: LARGE,
  },
  { work: 'forest, 1M rows', rows: LARGE, rounds: 1, params: {}, peers: ['sklearn'] },
];

const folder = mkdtempSync(path.join(tmpdir(), 'retrain-bench-'));
const files = new Map<number, string>();

/** The file of a table of so many rows, written when it is first wanted. */
function fileOf(size: number): string {
  const known = files.get(size);
  if (known !== undefined) return known;
  const file = path.join(folder, `table-${size}`);
  writeTableFile(file, size);
  files.set(size, file);
  return file;
}

/** Runs one training, or prediction, in a process of its own. */
function measure(who: string, { rows: size, params, predict }: Work, seed: number): Figures {
  const files = [fileOf(size), ...(predict === undefined ? [] : [fileOf(predict)])];
  const options = JSON.stringify({ ...params, seed });
  const own = OWN.includes(who);
  const script = own
    ? path.join(__dirname, 'forest', who === 'onnxruntime' ? 'onnx-once.js' : 'train-once.js')
    : path.join(__dirname, '..', '..', 'bench', 'peers', 'forest.py');
  const command = own ? process.execPath : (python ?? '');
  const alone = who === 'one thread' ? ['--alone'] : [];
  const args = [script, ...(own ? [] : [who]), options, ...files, ...alone];
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr.slice(-2000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Figures;
}

function compare(work: Work): Summary[] {
  const names = ['retrain', ...work.peers.filter((peer) => python !== undefined || OWN.includes(peer))];
  const runs = new Map<string, Figures[]>(names.map((name) => [name, []]));
  for (let round = 0; round < work.rounds; round++) {
    for (const name of names) runs.get(name)?.push(measure(name, work, round));
  }
  return names.map((name) => summarize(work.work, name, runs.get(name) ?? [], runs.get('retrain') ?? []));
}

function show({ work, name, seconds, ratio, cpuRatio, auc, peakMiB }: Summary): void {
  console.log(
    `${work.padEnd(24)} ${name.padEnd(15)} ${seconds.toFixed(3).padStart(8)} s ${ratio.toFixed(2).padStart(6)}×` +
      `  CPU ${cpuRatio.toFixed(2).padStart(5)}×  AUC ${auc.toFixed(4)}  peak ${peakMiB.toFixed(0).padStart(5)} MiB`,
  );
}

/** How the time grows with the rows, against n log n. */
function growth(all: readonly Summary[]): string {
  const time = (work: string): number =>
    all.find((one) => one.work === work && one.name === 'retrain')?.seconds ?? NaN;
  const nLogN = (n: number): number => n * Math.log(n);
  const grown = time('forest, 1M rows') / time('forest');
  return `forest: ${(LARGE / rows).toFixed(1)}× the rows take ${grown.toFixed(1)}× the time; n log n is ${(nLogN(0.8 * LARGE) / nLogN(0.8 * rows)).toFixed(1)}×`;
}

async function main(): Promise<void> {
  try {
    const all: Summary[] = [];
    for (const work of WORK) {
      const summaries = compare(work);
      all.push(...summaries);
      if (!json) summaries.forEach(show);
    }
    if (json) console.log(JSON.stringify(all));
    else {
      console.log(growth(all));
      console.log(`iris: 100 trees in ${(await timeIris()).toFixed(1)} ms`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

void main();
