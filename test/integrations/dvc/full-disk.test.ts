import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContentStore } from '../../../integrations/dvc/content-store';
import { pull } from '../../../integrations/dvc/pull';
import { push } from '../../../integrations/dvc/push';
import { FolderStorage } from '../../../integrations/objectstore/folder-storage';
import { testWith } from '../../tools/needs';
import { SmallDisk } from '../../tools/small-disk';

const dir = mkdtempSync(join(tmpdir(), 'full-'));
const disk = SmallDisk.mount(2 << 20);
const small = disk?.dir ?? '';
const onSmallDisk = testWith('small-disk', disk !== null);

afterAll(() => {
  disk?.unmount();
  rmSync(dir, { recursive: true, force: true });
});

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
      await expect(failed).rejects.toThrow(
        name === 'big'
          ? /cache is full \(ENOSPC.*needed: 3\.0 MiB; free on its file system: .* of 2\.0 MiB\); make room/
          : /cache is full \(ENOSPC.*make room/,
      );
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
  const pushed = push(roomy, new FolderStorage(join(small, 'remote')), [artifact]);
  await expect(pushed).rejects.toMatchObject({ code: 'DISK_FULL' });
  await expect(pushed).rejects.toThrow(/remote is full \(ENOSPC.*needed: 39\.1 KiB; .*make room/);
  expect(readdirSync(join(small, 'remote/retrain-staging'))).toEqual([]);
});
