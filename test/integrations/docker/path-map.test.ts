import type Docker from 'dockerode';
import { ownContainerId } from '../../../integrations/docker/own-container';
import { findPathMap } from '../../../integrations/docker/path-map';

const SCRATCH = '/project/.retrain/scratch';

/** An engine on the host `host` that knows one container, with the given mounts. */
function engineWith(mounts: { Source: string; Destination: string }[] | undefined): Docker {
  return {
    getContainer: () => ({
      inspect: async () => {
        if (mounts === undefined) throw Object.assign(new Error('no such container'), { statusCode: 404 });
        return Promise.resolve({ Mounts: mounts });
      },
    }),
    info: async () => Promise.resolve({ Name: 'host' }),
  } as unknown as Docker;
}

const find = (engine: Docker, more: object = {}) =>
  findPathMap(engine, { scratchDir: SCRATCH, hostname: 'abc123', inContainer: true, ...more });

describe('where the engine sees the scratch folder', () => {
  test('is where the worker sees it, on the engine’s own host', async () => {
    const paths = await find(engineWith(undefined), { inContainer: false });
    expect(paths.toEngine(`${SCRATCH}/a`)).toBe(`${SCRATCH}/a`);
    const marked = await find(engineWith(undefined), { hostname: 'host' });
    expect(marked.toEngine(`${SCRATCH}/a`)).toBe(`${SCRATCH}/a`);
  });

  test('is in the innermost volume of a worker in a container', async () => {
    const paths = await find(
      engineWith([
        { Source: '/home/me/iris', Destination: '/project' },
        { Source: '/var/lib/docker/volumes/state/_data', Destination: '/project/.retrain' },
      ]),
    );
    expect(paths.toEngine(`${SCRATCH}/a/in`)).toBe('/var/lib/docker/volumes/state/_data/scratch/a/in');
  });

  test('is asked for by the container’s id where the host name is the host’s', async () => {
    const id = 'd5414a004fb6'.padEnd(64, '0');
    const asked: string[] = [];
    const knowing = engineWith([{ Source: '/srv/state', Destination: SCRATCH }]);
    const recording = {
      ...knowing,
      getContainer: (name: string) => (asked.push(name), knowing.getContainer(name)),
    };
    const paths = await find(recording as unknown as Docker, { containerId: id, hostname: 'host' });
    expect(asked).toEqual([id]);
    expect(paths.toEngine(`${SCRATCH}/a`)).toBe('/srv/state/a');
    // An engine that runs in the same container as the worker does not know it, but shares its name and its files.
    const beside = await find(engineWith(undefined), { containerId: id, hostname: 'host' });
    expect(beside.toEngine(`${SCRATCH}/a`)).toBe(`${SCRATCH}/a`);
  });

  test('is where the operator says', async () => {
    const paths = await find(engineWith(undefined), { hostScratch: '/mnt/scratch' });
    expect(paths.toEngine(`${SCRATCH}/a`)).toBe('/mnt/scratch/a');
  });

  test('is nowhere without a volume, or with another engine: both are said at the start', async () => {
    await expect(find(engineWith([{ Source: '/d', Destination: '/data' }]))).rejects.toThrow(
      /scratch folder .* is on no volume/,
    );
    await expect(find(engineWith(undefined))).rejects.toThrow(/set RETRAIN_DOCKER_HOST_SCRATCH/);
  });
});

describe('the id of the worker’s own container', () => {
  test('is in the mounts that the engine makes for it', () => {
    const id = 'd5414a004fb61b4b6c05972a31d8b5e25166902ab62fc4e287c168e6582e126b';
    const line = `92 74 254:0 /data/containers/${id}/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw`;
    expect(ownContainerId(`91 74 0:21 / /proc rw - proc proc rw\n${line}\n`)).toBe(id);
  });

  test('is not found outside of one', () => {
    expect(ownContainerId('27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n')).toBeUndefined();
  });
});
