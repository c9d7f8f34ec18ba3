import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removePidFile, runningFrom, writePidFile } from '../../../client/stack/pid-file';
import { findProcess, groupMembers } from '../../../client/stack/process-table';
import { endGroup } from '../../../client/stack/server-process';

const dir = mkdtempSync(join(tmpdir(), 'retrain-pid-'));

describe('a pid file', () => {
  const file = join(dir, 'server.pid');

  it('names a process for as long as it runs', async () => {
    const child = spawn('sleep', ['60'], { detached: true });
    await once(child, 'spawn');
    writePidFile(file, child.pid!, 'port 1');
    expect(runningFrom(file)).toMatchObject({ pid: child.pid, fingerprint: 'port 1' });
    await endGroup(child.pid!, 5_000);
    expect(runningFrom(file)).toBeNull();
  });

  it('does not count when its pid has gone to another process', () => {
    writePidFile(file, process.pid, 'port 1');
    const record = JSON.parse(readFileSync(file, 'utf8')) as { startedAt: string };
    writeFileSync(file, JSON.stringify({ ...record, startedAt: '1' }));
    expect(runningFrom(file)).toBeNull();
  });

  it.each(['', '{', '{"pid": -1}', '4711'])('does not count when it holds %j', (text) => {
    writeFileSync(file, text);
    expect(runningFrom(file)).toBeNull();
  });

  it('is not written for a process that is gone', () => {
    removePidFile(file);
    writePidFile(file, 2 ** 22 + 1, 'port 1');
    expect(runningFrom(file)).toBeNull();
  });
});

describe('the process table', () => {
  it('takes a zombie for dead', async () => {
    // The shell never waits for its child, which ends at once.
    const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], { detached: true });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const zombie = Number(line.toString());
    while (findProcess(zombie) !== null) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(findProcess(parent.pid!)).not.toBeNull();
    await endGroup(parent.pid!, 5_000);
  });

  it('finds what a server has started', async () => {
    const server = spawn('sh', ['-c', 'sleep 60 & sleep 60 & echo ready; wait'], { detached: true });
    await once(server.stdout, 'data');
    expect(groupMembers(server.pid!)).toHaveLength(3);
    await endGroup(server.pid!, 5_000);
    expect(groupMembers(server.pid!)).toEqual([]);
  });
});

describe('endGroup', () => {
  it('kills what does not heed SIGTERM', async () => {
    const stubborn = spawn('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done'], {
      detached: true,
    });
    await once(stubborn.stdout, 'data');
    await endGroup(stubborn.pid!, 300);
    expect(findProcess(stubborn.pid!)).toBeNull();
  });

  it('is content with a group that is not there', async () => {
    await expect(endGroup(2 ** 22 + 1, 100)).resolves.toBeUndefined();
  });
});
