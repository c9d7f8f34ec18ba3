import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Docker from 'dockerode';
import { Bounds } from '../../../integrations/docker/bounds';

/** An engine whose answer to a question for statistics is `answer`; undefined: it never answers. */
class Engine {
  asked = 0;
  private constructor(
    private readonly server: Server,
    readonly container: Docker.Container,
  ) {}

  static async start(socketPath: string, answer: (asked: number) => object | undefined): Promise<Engine> {
    const server = createServer((_request, response) => {
      engine.asked += 1;
      const body = answer(engine.asked);
      if (body !== undefined)
        response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    const engine = new Engine(server, new Docker({ host: '', socketPath }).getContainer('a'));
    return engine;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe('the bounds of a container', () => {
  const out = mkdtempSync(path.join(tmpdir(), 'retrain-bounds-'));
  let engine: Engine;
  afterAll(() => rmSync(out, { recursive: true }));
  afterEach(() => engine.stop());

  const broken = (limits: { deadline?: number; timeout?: string } = {}, interval = 20): Promise<Error> => {
    const bounds = new Bounds(
      engine.container,
      { stage: 'train', out, diskBytes: 1e6, disk: '1m', ...limits },
      interval,
    );
    return new Promise((resolve) => bounds.watch(resolve));
  };

  test('hold a stage to its time where the engine never answers', async () => {
    engine = await Engine.start(path.join(out, 'silent.sock'), () => undefined);
    const error = await broken({ deadline: Date.now() + 30, timeout: '30ms' });
    expect(error).toMatchObject({ code: 'STAGE_TIMED_OUT' });
    expect(engine.asked).toBeGreaterThan(0);
  });

  test('name a fork bomb, though the engine does not answer in between', async () => {
    const answers = [256, undefined, 256, 100, 256, 256, 256];
    engine = await Engine.start(path.join(out, 'bomb.sock'), (asked) => {
      const current = answers[asked - 1];
      return current === undefined ? {} : { pids_stats: { current } };
    });
    const error = await broken();
    expect(error).toMatchObject({
      code: 'STAGE_UNSAFE',
      message: expect.stringMatching(/256 processes and threads/) as string,
    });
    expect(engine.asked).toBe(7);
  });
});
