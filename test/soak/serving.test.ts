import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { RegistryView } from '../integration/pipeline/registry-view';
import { TestProject } from '../integration/pipeline/test-project';
import { BETWEEN, underMoves } from '../integration/serving/alias-moves';
import { ServedProject } from '../integration/serving/served';
import { fuzzedRequest } from '../serving/api/fuzzed-bodies';
import { judge } from '../serving/api/schemathesis';
import { testWith } from '../tools/needs';

jest.setTimeout(30 * 60_000);

const rssMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

describe('the prediction API, for long', () => {
  const project = new TestProject();
  const view = new RegistryView(project.model);
  let api: ServedProject;

  beforeAll(async () => {
    await project.startWorker();
    await project.start('--wait');
    await project.start('--wait', '--set', 'train.n_estimators=3');
    api = await new ServedProject(project).listening();
    await api.until('/ready', ({ status }) => status === 200);
  });
  afterAll(async () => {
    await api.end('SIGKILL');
    await project.remove();
    await view.close();
  });

  test('200,000 requests while the alias moves 20 times: none fails, and each answer is of the version that it names', async () => {
    const seen = await underMoves(api, view.mlflow, project.model, { moves: 20, least: 200_000 });
    expect(seen.wrong.slice(0, 3)).toEqual([]);
    expect(seen.answers).toBeGreaterThanOrEqual(200_000);
    expect(Object.keys(seen.byVersion).sort()).toEqual(['1', '2']);
  });

  testWith('schemathesis')(
    'schemathesis: 8,000 requests by the OpenAPI document, and against it: each is answered as it says',
    async () => {
      const { code, said, requests } = await judge(api.url, { name: project.model, version: '1' }, 1500);
      expect({ code, said: code === 0 ? '' : said }).toEqual({ code: 0, said: '' });
      expect(requests).toBeGreaterThan(8_000);
    },
  );

  test('20,000 strange bodies, and slow ones beside them: never a 5xx but 503, no hang, memory flat', async () => {
    const slow: Socket[] = [];
    const { port } = new URL(api.url);
    for (let i = 0; i < 200; i++) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(
        'POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"sepal',
      );
      slow.push(socket);
    }
    const failed: unknown[] = [];
    const requests = fc.sample(fuzzedRequest(project.model), 20_000);
    let next = 0;
    const caller = async (until: number): Promise<void> => {
      for (
        let request = requests[next++];
        request !== undefined;
        request = next <= until ? requests[next++] : undefined
      ) {
        const { 'x-request-id': _, ...headers } = request.headers;
        const { status } = await api.ask(request.url, request.body, headers);
        if (status >= 500 && status !== 503) failed.push({ status, request });
      }
    };
    await Promise.all(Array.from({ length: 32 }, () => caller(5_000)));
    const before = rssMiB(api.pid);
    await Promise.all(Array.from({ length: 32 }, () => caller(20_000)));
    expect(failed.slice(0, 3)).toEqual([]);
    expect(rssMiB(api.pid) - before).toBeLessThan(60);
    for (const socket of slow) socket.destroy();
    expect(await api.ask('/predict', BETWEEN)).toMatchObject({ status: 200 });
  });
});
