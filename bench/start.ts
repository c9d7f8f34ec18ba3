/**
 * `retrain start` when nothing changed, a cold process, against `dvc repro` when nothing changed, in turn. Needs the stack (`retrain
 * up`) and the real dvc: on the PATH, or named by RETRAIN_TEST_DVC.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { median, report, timed } from './measure';

const ROOT = path.resolve(__dirname, '..', '..');
const DVC = process.env['RETRAIN_TEST_DVC'] ?? 'dvc';
const PAIRS = 9;

function run(cwd: string, command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error !== undefined)
    throw new Error(
      `${command} cannot be run (${error.message}); install dvc, or name it by RETRAIN_TEST_DVC`,
    );
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`);
}

/** A repository whose one stage depends on iris and is up to date. */
function dvcProject(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'retrain-bench-dvc-'));
  mkdirSync(path.join(dir, 'data'));
  cpSync(path.join(ROOT, 'data', 'iris.csv'), path.join(dir, 'data', 'iris.csv'));
  const stages = { train: { cmd: 'cp data/iris.csv model', deps: ['data/iris.csv'], outs: ['model'] } };
  writeFileSync(path.join(dir, 'dvc.yaml'), stringify({ stages }));
  run(dir, 'git', 'init', '-q');
  run(dir, DVC, 'init', '-q');
  run(dir, DVC, 'config', 'core.analytics', 'false');
  run(dir, DVC, 'repro', '-q');
  return dir;
}

async function main(): Promise<void> {
  const dir = dvcProject();
  const ours = (): Promise<number> => timed(async () => run(ROOT, process.execPath, 'bin/retrain', 'start'));
  const peer = (): Promise<number> => timed(async () => run(dir, DVC, 'repro', '-q'));
  try {
    run(ROOT, process.execPath, 'bin/retrain', 'start', '--wait');
    await ours();
    await peer();
    const pairs: [number, number][] = [];
    for (let i = 0; i < PAIRS; i++) pairs.push([await ours(), await peer()]);
    report('start', [
      {
        what: 'a start when nothing changed',
        ours: median(pairs.map(([mine]) => mine)),
        peer: median(pairs.map(([, its]) => its)),
        unit: 'ms for dvc repro',
        ratio: median(pairs.map(([mine, its]) => mine / its)),
        aim: '≤ 1',
      },
    ]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

void main();
