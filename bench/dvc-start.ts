/**
 * `retrain start` and `retrain data status`, cold processes, against `dvc repro` and `dvc status`, on training data of 20,000 files in
 * which nothing changed; in turn. MLflow is a stand-in of this process that knows the result, so its own time is left out.
 * RETRAIN_TEST_DVC names dvc's executable, TMPDIR chooses the disk.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { RUN_TAG } from '../contracts/names';
import { type TrainingResult } from '../contracts/run';
import { median, report, timed, type Finding } from './measure';

const FILES = 20_000;
const PAIRS = 5;
const CLI = path.resolve(__dirname, '..', '..', 'bin', 'retrain');

function makeProject(dir: string): void {
  for (let index = 0; index < FILES; index++) {
    const folder = path.join(dir, 'data', `d${index % 100}`);
    if (index < 100) mkdirSync(folder, { recursive: true });
    const rows = Array.from({ length: 200 }, (_, row) => `${index}.${row},${row % 3},${index % 2}\n`);
    writeFileSync(path.join(folder, `${index}.csv`), `a,b,y\n${rows.join('')}`);
  }
  const stages = { train: { cmd: 'cp params.yaml model', deps: ['data'], outs: ['model'] } };
  writeFileSync(path.join(dir, 'dvc.yaml'), stringify({ stages }));
  const params = { model: 'bench', experiment: 'bench', data: { path: 'data', target: 'y' } };
  writeFileSync(path.join(dir, 'params.yaml'), stringify(params));
}

/** Answers that the run of whichever key is asked for has finished. */
function mlflowStandIn(): Server {
  return createServer((request, response) => {
    void text(request).then((body) => {
      const key = /pipeline_key = '([0-9a-f]{64})'/.exec(body)?.[1] ?? '';
      const tags = [
        { key: RUN_TAG.pipelineKey, value: key },
        { key: RUN_TAG.result, value: JSON.stringify(resultOf(key)) },
      ];
      const info = { run_id: 'r', experiment_id: '1', status: 'FINISHED', artifact_uri: '' };
      const answer = request.url?.includes('runs/search')
        ? { runs: [{ info, data: { tags } }] }
        : { experiment: { experiment_id: '1', name: 'bench' } };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
  });
}

function resultOf(pipelineKey: string): TrainingResult {
  const hash = '0'.repeat(64);
  return {
    outcome: 'promoted',
    model: 'bench',
    modelVersion: '1',
    pipelineKey,
    dataHash: hash,
    paramsHash: hash,
    codeHash: hash,
    gitCommit: '',
    workflowId: 'train-bench',
    workflowRunId: 'r',
    mlflowRunId: 'r',
    mlflowExperimentId: '1',
    ...{
      metrics: { accuracy: 1 },
      gate: [],
      champion: null,
      alias: 'production',
      reason: 'the first version',
    },
    ...{ reused: [], stageMs: {}, finishedAt: '2026-01-01T00:00:00.000Z' },
  };
}

async function pairsOf(ours: () => Promise<unknown>, peer: () => Promise<unknown>) {
  await ours();
  await peer();
  const pairs: { ours: number; peer: number }[] = [];
  for (let round = 0; round < PAIRS; round++)
    pairs.push({ ours: await timed(ours), peer: await timed(peer) });
  return pairs;
}

function finding(what: string, pairs: readonly { ours: number; peer: number }[], aim: string): Finding {
  return {
    what,
    ours: median(pairs.map((pair) => pair.ours)),
    peer: median(pairs.map((pair) => pair.peer)),
    unit: 'ms',
    ratio: median(pairs.map((pair) => pair.peer / pair.ours)),
    aim,
  };
}

async function main(executable: string): Promise<void> {
  const dir = mkdtempSync(path.join(tmpdir(), 'bench-dvc-start-'));
  const server = mlflowStandIn();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = {
    PATH: process.env['PATH'],
    HOME: dir,
    DVC_NO_ANALYTICS: '1',
    DVC_SITE_CACHE_DIR: `${dir}/.site`,
  };
  const dvc = (...args: string[]) => promisify(execFile)(executable, args, { cwd: dir, env });
  const us = async (...args: string[]): Promise<void> => {
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...args, '--json'], {
      cwd: dir,
      env: { ...env, MLFLOW_TRACKING_URI: uri },
      maxBuffer: 64 << 20,
    });
    if (args[0] === 'start' && !stdout.includes('"how":"finished"')) throw new Error(`start: ${stdout}`);
  };
  try {
    makeProject(dir);
    execFileSync(executable, ['init', '--no-scm', '--quiet'], { cwd: dir, env });
    await dvc('repro', '--quiet');
    report('dvc-start', [
      finding(
        `a start with nothing changed in ${FILES} files, dvc repro/ours`,
        await pairsOf(
          () => us('start'),
          () => dvc('repro', '--quiet'),
        ),
        '≥ 3',
      ),
      finding(
        'retrain data status there, dvc status/ours',
        await pairsOf(
          () => us('data', 'status'),
          () => dvc('status', '--quiet'),
        ),
        '≥ 5',
      ),
    ]);
  } finally {
    server.close();
    server.closeAllConnections();
    rmSync(dir, { recursive: true, force: true });
  }
}

const executable = process.env['RETRAIN_TEST_DVC'];
if (executable) {
  void main(executable);
} else {
  console.error(
    'error: RETRAIN_TEST_DVC is not set; set it to the executable of DVC 3 (make test-tools installs one)',
  );
  process.exitCode = 2;
}
