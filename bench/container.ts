/**
 * What a stage in a container costs over the same stage in process, against what `docker run` of the same image costs over it: the
 * built-in preprocess on iris, in turn. Needs a Docker engine (`make docker-engine`) and the image (`make docker-build`).
 */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ContainerExecutor } from '../integrations/docker/container-executor';
import { createEngine } from '../integrations/docker/engine';
import { imageDigest } from '../integrations/docker/images';
import { dockerSettings } from '../integrations/docker/settings';
import { InProcessExecutor } from '../stages/in-process';
import { median, report, timed } from './measure';

const ROOT = path.resolve(__dirname, '..', '..');
const IMAGE = process.env['RETRAIN_BENCH_IMAGE'] ?? 'retrain/stage:latest';
const PAIRS = 15;
const STAGE = 'preprocess';

const PARAMS = {
  data: { path: 'data/iris.csv', target: 'species' },
  preprocess: {},
  task: 'classification',
};

const scratch = mkdtempSync(path.join(tmpdir(), 'retrain-bench-container-'));

/** A fresh folder of the stage contract. */
function layOut(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(path.join(dir, 'in'), { recursive: true });
  mkdirSync(path.join(dir, 'out'), { mode: 0o777 });
  cpSync(path.join(ROOT, 'data', 'iris.csv'), path.join(dir, 'in', 'data'));
  writeFileSync(path.join(dir, 'params.json'), JSON.stringify(PARAMS));
}

/** The same stage and mounts under the docker command, with nothing of ours but the image. */
function dockerRun(dir: string): void {
  layOut(dir);
  const { status, stderr } = spawnSync(
    'docker',
    ['run', '--rm', '--network', 'none', '--user', '0', '--volume', `${dir}:/stage`, IMAGE, STAGE],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`docker run ended with ${status}: ${stderr}`);
}

async function main(): Promise<void> {
  const settings = dockerSettings({ ...process.env, RETRAIN_DOCKER_IMAGES: '*' });
  const engine = createEngine(settings);
  const digest = await imageDigest(engine, IMAGE, settings);
  const paths = { toEngine: (file: string) => file };
  const containers = new ContainerExecutor({ engine, settings, paths, scope: 'bench', env: {} });
  const threadEntry = path.join(ROOT, 'dist', 'stages', 'thread-entry.js');
  const threads = new InProcessExecutor({ threadEntry, threads: 1 });
  await threads.warmUp();
  const signal = new AbortController().signal;
  const dir = path.join(scratch, 'stage');

  const inProcess = async (): Promise<void> => {
    layOut(dir);
    await threads.run(STAGE, dir);
  };
  const contained = async (): Promise<void> => {
    await containers.run({
      ...{ stage: STAGE, dir, digest, signal, options: { image: IMAGE } },
      owner: { workflowId: 'bench', workflowRunId: randomUUID(), activityId: '1', attempt: 1 },
      prepare: async () => layOut(dir),
      isCancelled: () => true,
      onProgress: () => undefined,
      onLog: () => undefined,
    });
  };
  try {
    await inProcess();
    await contained();
    dockerRun(dir);
    const rounds: { base: number; ours: number; peer: number }[] = [];
    for (let i = 0; i < PAIRS; i++) {
      rounds.push({
        base: await timed(inProcess),
        ours: await timed(contained),
        peer: await timed(async () => dockerRun(dir)),
      });
    }
    report('container', [
      {
        what: 'overhead of a container stage over the same in process, against docker run’s',
        ours: median(rounds.map(({ ours, base }) => ours - base)),
        peer: median(rounds.map(({ peer, base }) => peer - base)),
        unit: 'ms',
        ratio: median(rounds.map(({ ours, peer, base }) => (ours - base) / (peer - base))),
        aim: '≤ 1.2',
      },
    ]);
  } finally {
    await threads.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
