import type Docker from 'dockerode';
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
