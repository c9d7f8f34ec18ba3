/**
 * `retrain predict`, a million credit rows, CSV to Parquet, against scripts that do the same with pandas and scikit-learn, and with pandas
 * and onnxruntime: whole processes, in turns. Needs RETRAIN_BENCH_PYTHON, a Python with pandas, pyarrow, scikit-learn and onnxruntime.
 * RETRAIN_BENCH_ROWS: other than 1,000,000 rows.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packageRoot } from '../client/stack/package-root';
import { creditModel } from './credit-model';
import { median, report } from './measure';

const ROUNDS = 3;

/** Wall and CPU time in s, peak memory in MiB, of a process and its children. */
interface Cost {
  wall: number;
  cpu: number;
  peak: number;
}

/** By GNU time, which adds up a process's children. */
function cost(command: string[]): Cost {
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', '%e %U %S %M', ...command], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
  const [wall = NaN, user = NaN, system = NaN, kib = NaN] = (stderr.trim().split('\n').at(-1) ?? '')
    .split(' ')
    .map(Number);
  return { wall, cpu: user + system, peak: kib / 1024 };
}

async function main(): Promise<void> {
  const python = process.env['RETRAIN_BENCH_PYTHON'];
  if (python === undefined)
    throw new Error('set RETRAIN_BENCH_PYTHON to a Python with pandas, pyarrow, scikit-learn, onnxruntime');
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-predict-'));
  try {
    const { data, model } = await creditModel(folder, Number(process.env['RETRAIN_BENCH_ROWS'] ?? 1_000_000));
    const peers = path.join(packageRoot(), 'bench', 'peers', 'predict.py');
    const forest = path.join(folder, 'forest.pickle');
    cost([python, peers, 'train', data, forest]);
    const out = (name: string): string => path.join(folder, `${name}.parquet`);
    const retrain = path.join(packageRoot(), 'bin', 'retrain');
    const rounds = Array.from({ length: ROUNDS }, () => ({
      ours: cost([process.execPath, retrain, 'predict', data, '--model', model, '--out', out('ours')]),
      sklearn: cost([python, peers, 'sklearn', data, forest, out('sklearn')]),
      onnx: cost([python, peers, 'onnxruntime', data, path.join(model, 'model.onnx'), out('onnx')]),
    }));
    const against = (
      peer: 'sklearn' | 'onnx',
      key: keyof Cost,
      unit: string,
      aim: string,
    ): Parameters<typeof report>[1][number] => ({
      what: `${key === 'wall' ? 'time' : key === 'cpu' ? 'CPU time' : 'peak memory'} against pandas and ${peer === 'onnx' ? 'onnxruntime' : 'scikit-learn'}`,
      ...{ unit, aim },
      ours: median(rounds.map(({ ours }) => ours[key])),
      peer: median(rounds.map((round) => round[peer][key])),
      ratio: median(rounds.map((round) => round.ours[key] / round[peer][key])),
    });
    report('predict-tables', [
      against('sklearn', 'wall', 's', '≤ 0.2'),
      against('onnx', 'wall', 's', '≤ 0.33'),
      against('sklearn', 'cpu', 's', '≤ 0.2'),
      against('onnx', 'cpu', 's', '≤ 0.33'),
      against('sklearn', 'peak', 'MiB', 'ours < 400'),
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

void main();
