import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createLogger } from '../../worker/logger';
import { makeStateFolder } from '../../integrations/files/state-folder';
import { lockFile } from '../../integrations/files/file-lock';
import { withPathLocks } from '../../integrations/dvc/workspace-lock';
import { describeWith } from '../tools/needs';
import { SmallDisk } from '../tools/small-disk';
import { type Finished, Workbench } from './workbench';

const MIB = 1 << 20;

const disk = SmallDisk.mount(128 * MIB);
const describeSmall = describeWith('small-disk', disk !== null);
const at = (...names: string[]): string => path.join(disk?.dir ?? '', ...names);
let bench: Workbench;

beforeAll(() => {
  if (disk === null) return;
  mkdirSync(at('project'));
  bench = new Workbench(at('project'));
});
beforeEach(() => disk?.leaveRoom(8 * MIB));
afterAll(() => disk?.unmount());

/** Ended with one line, in words. */
function requireRefusal({ code, stdout, stderr }: Finished, says: RegExp): void {
  const line = stderr.split('\n').filter((text) => text.startsWith('error: '));
  expect({ code, stdout, line }).toEqual({ code: 1, stdout: '', line: [expect.stringMatching(says)] });
  expect(stderr).not.toContain('retrain did not foresee');
  expect(stderr).not.toMatch(/^ {4}at /m);
}

describeSmall('a command on a full disk', () => {
  test('says what is full, and goes on when there is room', async () => {
    for (const stage of ['preprocess', 'train', 'evaluate']) {
      disk?.leaveRoom(0);
      requireRefusal(await bench.cli(['stage', stage]), /is full \(.*make room/);
      disk?.leaveRoom(8 * MIB);
      expect(await bench.cli(['stage', stage])).toMatchObject({ code: 0 });
    }
    expect(readdirSync(at('project/.retrain/stages'))).toEqual([]);
  }, 120_000);

  test('that starts servers says how much they need, before it starts one', async () => {
    disk?.leaveRoom(MIB);
    const { code, stderr } = await bench.cli(['up']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /error: .*\.retrain is full \(needed: 64\.0 MiB; free on its file system: 1\.0 MiB of /,
      ) as string,
    });
  });
});

describeSmall('what is kept between runs, on a full disk', () => {
  test('the state folder is kept out of git once there is room for that', () => {
    disk?.leaveRoom(0);
    expect(() => makeStateFolder(at('other'))).toThrow('ENOSPC');
    disk?.leaveRoom(MIB);
    makeStateFolder(at('other'));
    expect(readFileSync(at('other/.gitignore'), 'utf8')).toBe('*\n');
  });

  test('a lock is taken, and given back', async () => {
    writeFileSync(at('lock'), '');
    disk?.leaveRoom(0);
    const unlock = await lockFile(at('lock'), { timeoutMs: 0 });
    await expect(lockFile(at('lock'), { timeoutMs: 0 })).rejects.toMatchObject({ code: 'WORKSPACE_BUSY' });
    await unlock();
    await (
      await lockFile(at('lock'), { timeoutMs: 0 })
    )();
  });

  test('paths that fill up the disk while they are locked are free afterwards', async () => {
    mkdirSync(at('project/locked/tmp'), { recursive: true });
    const locked = (work: () => Promise<void>): Promise<void> =>
      withPathLocks(at('project/locked'), { read: [], write: [at('x')] }, 'a test', { timeoutMs: 0 }, work);
    await locked(async () => Promise.resolve(disk?.leaveRoom(0)));
    disk?.leaveRoom(MIB);
    await locked(() => Promise.resolve());
    expect(JSON.parse(readFileSync(at('project/locked/tmp/rwlock'), 'utf8'))).toEqual({
      read: {},
      write: {},
    });
  });

  test('the worker’s log: what cannot be written is dropped, ends nothing, and what comes later is written', () => {
    const fd = openSync(at('worker.log'), 'a');
    try {
      const logger = createLogger('info', fd);
      logger.info('before');
      disk?.leaveRoom(0);
      for (let line = 0; line < 20_000; line++) logger.info('meanwhile, on a full disk', { line });
      disk?.leaveRoom(4 * MIB);
      logger.info('after');
      const lines = readFileSync(at('worker.log'), 'utf8').trim().split('\n');
      const messageOf = (line = ''): unknown => (JSON.parse(line) as { msg: string }).msg;
      expect([messageOf(lines[0]), messageOf(lines.at(-1))]).toEqual(['before', 'after']);
      expect(lines.length).toBeLessThan(1000);
    } finally {
      closeSync(fd);
    }
  });
});

describeSmall('a folder that may only be read', () => {
  test('is said to be that; nothing of retrain is wrong', async () => {
    disk?.leaveRoom(100 * MIB);
    disk?.setReadOnly(true);
    try {
      const refused = /cannot be written \(.*(EROFS|ENOENT).*; give the user/;
      requireRefusal(await bench.cli(['stage', 'train', '--force']), refused);
      requireRefusal(
        await bench.cli(['up'], { RETRAIN_STATE_DIR: at('project/.other/state') }),
        /cannot be written \(EROFS/,
      );
    } finally {
      disk?.setReadOnly(false);
    }
    expect(await bench.cli(['stage', 'train', '--force'])).toMatchObject({ code: 0 });
  }, 60_000);

  test('with the data in it is enough: nothing is written beside them', async () => {
    const outside = new Workbench();
    const data = SmallDisk.mount(MIB);
    try {
      writeFileSync(path.join(data?.dir ?? '', 'iris.csv'), outside.text('data/iris.csv'));
      data?.showAt(outside.path('data'));
      expect(await outside.cli(['stage', 'preprocess'])).toMatchObject({ code: 0 });
    } finally {
      data?.hideAt(outside.path('data'));
      data?.unmount();
      outside.remove();
    }
  }, 60_000);
});
