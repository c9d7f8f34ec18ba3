import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Docker from 'dockerode';
import { Bounds } from '../../../integrations/docker/bounds';

/** A container's statistics, as an engine says them. */
function container(stats: () => Promise<object>): Docker.Container {
  return { stats } as object as Docker.Container;
}

describe('the bounds of a container', () => {
  const out = mkdtempSync(path.join(tmpdir(), 'retrain-bounds-'));
  const limits = { stage: 'train', out, diskBytes: 1e6, disk: '1m' };
  afterAll(() => rmSync(out, { recursive: true }));

  const broken = (bounds: Bounds): Promise<Error> => new Promise((resolve) => bounds.watch(resolve));

  test('hold a stage to its time where the engine never answers', async () => {
    let asked = 0;
    const server = createServer(() => (asked += 1));
    const socketPath = path.join(out, 'silent.sock');
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    // Its time is up once the engine was asked, so no clock decides what this sees.
    const late = {
      ...limits,
      timeout: '30ms',
      get deadline() {
        return asked > 0 ? 0 : Infinity;
      },
    };
    const silent = new Docker({ host: '', socketPath }).getContainer('a');
    try {
      expect(await broken(new Bounds(silent, late, 20))).toMatchObject({ code: 'STAGE_TIMED_OUT' });
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test('name a fork bomb, though the engine does not answer in between', async () => {
    const answers = [256, undefined, 256, 100, 256, 256, 256, 0, 0, 0];
    let asked = 0;
    const engine = container(() => {
      const current = answers[asked++];
      return Promise.resolve(current === undefined ? {} : { pids_stats: { current } });
    });
    expect(await broken(new Bounds(engine, limits, 1))).toMatchObject({
      code: 'STAGE_UNSAFE',
      message: expect.stringMatching(/256 processes and threads/) as string,
    });
    expect(asked).toBe(7);
  });
});
