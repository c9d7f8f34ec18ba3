import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContentStore } from '../../../integrations/dvc/content-store';
import { pull } from '../../../integrations/dvc/pull';
import { push } from '../../../integrations/dvc/push';
import { FolderStorage } from '../../../integrations/objectstore/folder-storage';
import { testWith } from '../../tools/needs';

const dir = mkdtempSync(join(tmpdir(), 'full-'));
const small = join(dir, 'small');
const isMounted = mountTwoMebibytes();
const onSmallDisk = testWith('small-disk', isMounted);

afterAll(() => {
  if (isMounted) execFileSync('umount', [small]);
  rmSync(dir, { recursive: true, force: true });
});

/** Only root can, and not in every container. */
function mountTwoMebibytes(): boolean {
  mkdirSync(small);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const fill = () => {
  writeFileSync(join(dir, 'big'), Buffer.alloc(3 << 20, 'big'));
  mkdirSync(join(dir, 'tree'), { recursive: true });
  for (let index = 0; index < 100; index++)
    writeFileSync(join(dir, 'tree', `${index}`), Buffer.alloc(40_000, index));
};

onSmallDisk(
  'a disk that fills up in mid-store is one clear error, leaves nothing, and the next try completes',
  async () => {
    fill();
    const store = new ContentStore(join(small, 'cache'));
    for (const name of ['big', 'tree']) {
      const failed = store.put(join(dir, name), name);
      await expect(failed).rejects.toMatchObject({ code: 'DISK_FULL' });
      await expect(failed).rejects.toThrow(/cache is full \(ENOSPC.*make room/);
      expect(readdirSync(join(small, 'cache/retrain-staging'))).toEqual([]);
      rmSync(join(small, 'cache/files'), { recursive: true, force: true });
    }
    await expect(store.putBytes(Buffer.alloc(3 << 20), 'bytes')).rejects.toMatchObject({ code: 'DISK_FULL' });
    const artifact = await store.putBytes('small', 'small');
    await store.verify(artifact);
  },
);

onSmallDisk('a disk that fills up while objects come or go is one clear error', async () => {
  fill();
  const roomy = new ContentStore(join(dir, 'roomy'));
  const artifact = await roomy.put(join(dir, 'tree'), 'tree');
  const remote = new FolderStorage(join(dir, 'remote'));
  await push(roomy, remote, [artifact]);
  const store = new ContentStore(join(small, 'pulled'));
  await expect(pull(store, remote, [artifact])).rejects.toMatchObject({ code: 'DISK_FULL' });
  expect(readdirSync(join(small, 'pulled/retrain-staging'))).toEqual([]);
  expect(await store.has(artifact)).toBe(false);
  rmSync(join(small, 'pulled'), { recursive: true });
  await expect(push(roomy, new FolderStorage(join(small, 'remote')), [artifact])).rejects.toThrow(
    /is full.*make room/,
  );
});
