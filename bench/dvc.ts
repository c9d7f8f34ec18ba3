/**
 * 20,000 files of 4 KiB against the real dvc (RETRAIN_TEST_DVC names its executable): first add, and status with nothing
 * changed. Each measurement is a process of its own, ours and dvc’s by turns, on the same files in the temporary folder (TMPDIR
 * chooses it).
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dataStatus } from '../integrations/dvc/data-status';
import { outEntry } from '../integrations/dvc/out-entry';
import { toYaml } from '../integrations/dvc/yaml-text';
import { trackedOuts } from '../integrations/dvc/tracked-outs';
import { openWorkspace } from '../integrations/dvc/workspace';
import { median, report, type Finding } from './measure';

const FILES = 20_000;
const ROUNDS = 3;

/** What the measured process of ours does; prints its peak memory. */
async function ours(what: string, dir: string): Promise<void> {
  const workspace = (await openWorkspace(dir, { outerConfigDirs: [] }))!;
  if (what === 'add') {
    const data = path.join(dir, 'data');
    const artifact = await workspace.store.put(data, 'data');
    const nfiles = (await workspace.store.manifest(artifact)).length;
    writeFileSync(`${data}.dvc`, toYaml({ outs: [outEntry('data', { ...artifact, nfiles })] }));
  } else {
    const [status] = await dataStatus(workspace, await trackedOuts(dir));
    if (status?.state !== 'unchanged') throw new Error(`data is ${status?.state}`);
  }
  workspace.close();
  console.log(process.resourceUsage().maxRSS / 1024);
}

function makeProject(dvc: (...args: string[]) => void, dir: string): void {
  for (let index = 0; index < FILES; index++) {
    const folder = path.join(dir, 'data', `d${index % 100}`);
    if (index < 100) mkdirSync(folder, { recursive: true });
    const seed = createHash('sha512').update(String(index)).digest();
    writeFileSync(path.join(folder, `${index}.bin`), Buffer.alloc(4096, seed));
  }
  dvc('init', '--no-scm', '--quiet');
}

function finding(what: string, pairs: { ours: number; peer: number }[], aim: string): Finding {
  return {
    what,
    ours: median(pairs.map((pair) => pair.ours)),
    peer: median(pairs.map((pair) => pair.peer)),
    unit: 'ms',
    ratio: median(pairs.map((pair) => pair.peer / pair.ours)),
    aim,
  };
}

function main(executable: string): void {
  const dir = mkdtempSync(path.join(tmpdir(), 'bench-dvc-'));
  const env = {
    PATH: process.env['PATH'],
    HOME: dir,
    DVC_NO_ANALYTICS: '1',
    DVC_SITE_CACHE_DIR: `${dir}/.site`,
  };
  const dvc = (...args: string[]) => void execFileSync(executable, args, { cwd: dir, env, stdio: 'ignore' });
  const memory: number[] = [];
  const us = (what: string) =>
    void memory.push(
      Number(execFileSync(process.execPath, [__filename, `--${what}`, dir], { encoding: 'utf8' })),
    );
  const timed = (work: () => void) => {
    const begun = performance.now();
    work();
    return performance.now() - begun;
  };
  const forget = () => {
    for (const name of ['.dvc/cache', '.dvc/tmp', '.site', 'data.dvc']) {
      rmSync(path.join(dir, name), { recursive: true, force: true });
    }
  };
  try {
    makeProject(dvc, dir);
    const adds: { ours: number; peer: number }[] = [];
    const statuses: { ours: number; peer: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      forget();
      const peerAdd = timed(() => dvc('add', '--quiet', 'data'));
      dvc('status', '--quiet');
      const peerStatus = timed(() => dvc('status', '--quiet'));
      forget();
      adds.push({ peer: peerAdd, ours: timed(() => us('add')) });
      us('status');
      statuses.push({ peer: peerStatus, ours: timed(() => us('status')) });
    }
    report('dvc', [
      finding(`first add of ${FILES} files, dvc/ours`, adds, '≥ 3'),
      finding(`status with nothing changed, dvc/ours`, statuses, '≥ 5'),
      {
        what: 'peak memory of ours, against the limit',
        ours: Math.max(...memory),
        peer: 150,
        unit: 'MiB',
        ratio: Math.max(...memory) / 150,
        aim: '≤ 1',
      },
    ]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const [mode, dir] = process.argv.slice(2);
const executable = process.env['RETRAIN_TEST_DVC'];
if ((mode === '--add' || mode === '--status') && dir !== undefined) {
  void ours(mode.slice(2), dir);
} else if (executable) {
  main(executable);
} else {
  console.error(
    'error: RETRAIN_TEST_DVC is not set; set it to the executable of DVC 3 (make setup installs one)',
  );
  process.exitCode = 2;
}
