import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { describeWith } from '../../tools/needs';
import { SmallDisk } from '../../tools/small-disk';
import { RegistryView } from './registry-view';
import { sleep, TestProject } from './test-project';

jest.setTimeout(300_000);

const MIB = 1 << 20;
/** What is freed each time that somebody is stuck. */
const RELIEF = 64 << 10;

const disk = SmallDisk.mount(64 * MIB);
afterAll(() => disk?.unmount());

describeWith('small-disk', disk !== null)('a worker whose state and cache are on a full disk', () => {
  test('says so in the run, tries again, and the run ends well as room comes, with nothing damaged', async () => {
    const state = disk?.dir ?? '';
    const project = new TestProject({
      retry: { maximum_attempts: 100, initial_interval: '100ms', backoff: 1 },
    });
    const registry = new RegistryView(project.model);
    const connection = await Connection.connect({ address: project.env['TEMPORAL_ADDRESS'] ?? '' });
    try {
      const worker = await project.startWorker({
        RETRAIN_STATE_DIR: state,
        RETRAIN_CACHE: path.join(state, 'cache'),
      });
      disk?.leaveRoom(0);
      const { workflowId = '' } = await project.start();
      const handle = new Client({ connection }).workflow.getHandle(workflowId);
      const stuck = new Set<string>();
      for (;;) {
        const { status, raw } = await handle.describe();
        if (status.name !== 'RUNNING') break;
        for (const { activityType, lastFailure } of raw.pendingActivities ?? []) {
          if (lastFailure?.applicationFailureInfo?.type !== 'DISK_FULL') continue;
          expect(lastFailure.message).toMatch(/is full \(.*make room/);
          expect(lastFailure.message).toContain(state);
          stuck.add(activityType?.name ?? '');
          disk?.leaveRoom(RELIEF);
        }
        await sleep(200);
      }
      expect(await handle.result()).toMatchObject({ outcome: 'promoted', modelVersion: '1' });
      expect([...stuck]).toEqual(expect.arrayContaining(['preprocess']));
      expect(await registry.runs()).toEqual([expect.objectContaining({ status: 'FINISHED' })]);
      expect(worker.log).not.toContain('nobody foresaw');
      await worker.stop();
      for (const file of filesBelow(path.join(state, 'cache/files/md5'))) {
        const md5 = createHash('md5').update(readFileSync(file)).digest('hex');
        expect(file.replaceAll('/', '')).toContain(md5);
      }
      expect(filesBelow(path.join(state, 'cache/retrain-staging'))).toEqual([]);
      expect(filesBelow(path.join(state, 'scratch'))).toEqual([]);
    } finally {
      await connection.close();
      await registry.close();
      await project.remove();
    }
  });
});

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(dir, name))
    .filter((name) => statSync(name).isFile());
}
