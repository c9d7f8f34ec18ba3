import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { takeScratch, type Scratch } from '../../worker/scratch';

let root: string;
beforeEach(() => {
  root = path.join(mkdtempSync(path.join(tmpdir(), 'scratch-')), 'scratch');
});
afterEach(() => rmSync(path.dirname(root), { recursive: true, force: true }));

const troubles: string[] = [];
const take = (kept?: string[]): Promise<Scratch> => takeScratch(root, kept, (what) => troubles.push(what));

/** Another process that holds the lock of a worker's folder, as a worker does, until it is killed. */
async function otherWorker(name: string): Promise<{ kill(): Promise<void> }> {
  const dir = path.join(root, name);
  mkdirSync(path.join(dir, 'stage', 'in'), { recursive: true });
  const hold = `
import fcntl, sys, time
lock = open(sys.argv[1], 'a+')
fcntl.flock(lock, fcntl.LOCK_EX)
print('held', flush=True)
time.sleep(600)
`;
  const child = spawn('python3', ['-c', hold, path.join(dir, '.lock')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return {
    kill: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

describe('the scratch folder of a worker', () => {
  test('is its own, and goes when it ends', async () => {
    const [one, two] = await Promise.all([take(), take()]);
    expect(readdirSync(root).sort()).toEqual([path.basename(one.dir), path.basename(two.dir)].sort());
    await one.release();
    expect(readdirSync(root)).toEqual([path.basename(two.dir)]);
    await two.release();
    expect(readdirSync(root)).toEqual([]);
  });

  test('of one that lives is left alone, and so is all that it may share; of one that is dead it goes', async () => {
    const other = await otherWorker('worker-aaaaaa');
    mkdirSync(path.join(root, 'container-run-1'));
    writeFileSync(path.join(root, 'older'), '');
    const own = await take([]);
    expect(readdirSync(path.join(root, 'worker-aaaaaa'))).toContain('stage');
    expect(readdirSync(root)).toEqual(expect.arrayContaining(['container-run-1', 'older']));
    await own.release();
    await other.kill();
    const next = await take([]);
    expect(readdirSync(root)).toEqual([path.basename(next.dir)]);
    await next.release();
  });

  test('containers’ folders stay where they are at work, or when that is not known', async () => {
    for (const name of ['container-a', 'container-b']) mkdirSync(path.join(root, name), { recursive: true });
    await (await take()).release();
    expect(readdirSync(root).sort()).toEqual(['container-a', 'container-b']);
    await (await take([path.join(root, 'container-b')])).release();
    expect(readdirSync(root)).toEqual(['container-b']);
  });

  test('what cannot be looked at keeps no worker from starting', async () => {
    mkdirSync(path.join(root, 'worker-bbbbbb', '.lock'), { recursive: true });
    const own = await take([]);
    expect(troubles).toEqual([path.join(root, 'worker-bbbbbb')]);
    await own.release();
  });
});
