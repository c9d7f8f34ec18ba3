/**
 * `npm run bench -- forest [ROWS [ROUNDS]] [--json]`: the histogram forest and boosting against scikit-learn, LightGBM and
 * XGBoost, each in a process of its own, two threads, on one synthetic credit table (default 150,000 rows, a fifth
 * held out). RETRAIN_BENCH_PYTHON names a Python with scikit-learn, lightgbm and xgboost; without it, only our own
 * figures are printed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeTableFile } from './forest/table-file';

interface Figures {
  name: string;
  seconds: number;
  predictSeconds: number;
  cpuSeconds: number;
  peakMiB: number;
  auc: number;
}

const WORK: { work: string; params: Record<string, unknown>; peers: string[] }[] = [
  { work: 'forest, unlimited depth', params: {}, peers: ['sklearn'] },
  {
    work: 'forest, max_depth 10',
    params: { max_depth: 10 },
    peers: ['sklearn', 'lightgbm-forest', 'xgboost-forest'],
  },
  { work: 'gradient boosting', params: { algorithm: 'gradient-boosting' }, peers: ['lightgbm'] },
];

const python = process.env['RETRAIN_BENCH_PYTHON'];
const json = process.argv.includes('--json');
const [rows = 150_000, rounds = 3] = process.argv
  .slice(2)
  .filter((argument) => /^\d+$/.test(argument))
  .map(Number);

function measure(command: string, args: string[]): Figures {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr.slice(-2000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Figures;
}

/** The run with the middle time of several, ours and the peer's taken in turn, so that both see the same machine. */
function middle(runs: Figures[]): Figures {
  const sorted = [...runs].sort((a, b) => a.seconds - b.seconds);
  const found = sorted[sorted.length >> 1];
  if (found === undefined) throw new Error('no runs');
  return found;
}

function show({
  work,
  name,
  seconds,
  ratio,
  auc,
  peakMiB,
  predictSeconds,
}: Figures & { work: string; ratio: number }): void {
  console.log(
    `${work.padEnd(25)} ${name.padEnd(16)} ${seconds.toFixed(2).padStart(7)} s ${ratio.toFixed(2).padStart(6)}×` +
      `  AUC ${auc.toFixed(4)}  peak ${peakMiB.toFixed(0).padStart(5)} MiB  predict ${predictSeconds.toFixed(2)} s`,
  );
}

const folder = mkdtempSync(path.join(tmpdir(), 'retrain-bench-'));
try {
  const file = path.join(folder, 'table');
  writeTableFile(file, rows);
  const results: (Figures & { work: string; rows: number; ratio: number })[] = [];
  for (const { work, params, peers } of WORK) {
    const own = (): Figures =>
      measure(process.execPath, [
        path.join(__dirname, 'forest', 'train-once.js'),
        file,
        JSON.stringify(params),
      ]);
    const peerScript = path.join(__dirname, '..', '..', 'bench', 'peers', 'forest.py');
    const ours: Figures[] = [own()];
    const others = (python === undefined ? [] : peers).map((peer) => {
      const runs: Figures[] = [];
      for (let round = 0; round < rounds; round++) {
        runs.push(measure(python ?? '', [peerScript, file, peer, JSON.stringify(params)]));
        ours.push(own());
      }
      return middle(runs);
    });
    const us = middle(ours);
    for (const figures of [us, ...others]) {
      const result = { work, rows, ...figures, ratio: figures.seconds / us.seconds };
      results.push(result);
      if (!json) show(result);
    }
  }
  if (json) console.log(JSON.stringify(results));
} finally {
  rmSync(folder, { recursive: true });
}
