import { createEngine } from '../../../integrations/docker/engine';
import { dockerSettings } from '../../../integrations/docker/settings';
import { sleep, TestProject } from '../pipeline/test-project';
import { BASE_IMAGE, describeWithDocker } from './engine';
import { OwnEngine } from './own-engine';
import { testWith } from '../../tools/needs';

jest.setTimeout(300_000);

/** A stage that would go on for long. */
const sleeping = { executor: 'container', image: BASE_IMAGE, command: ['sleep', '600'] };

describeWithDocker('a run whose Docker engine stops', () => {
  const needsOwn = testWith('second-engine', OwnEngine.possible());

  needsOwn('while its stage runs is retried, and fails with one clear message', async () => {
    const own = new OwnEngine();
    own.start();
    own.copyImage(BASE_IMAGE);
    const env = { DOCKER_HOST: own.host, RETRAIN_DOCKER_IMAGES: 'node:*' };
    const project = new TestProject({ train: sleeping, retry: { initial_interval: '200ms' } }, env);
    try {
      const worker = await project.startWorker();
      const running = project.cli(['start', '--wait']);
      const engine = createEngine(dockerSettings(env));
      while ((await engine.listContainers()).length === 0) await sleep(50);
      await own.end('SIGTERM');
      expect(lastAttempt(await running)).toBe(downAt(own.host));
      // An engine that stops may tell of the container's end before it falls silent, or not.
      expect(worker.log).toMatch(
        /was ended when the Docker engine stopped|cannot look after the container of train: no Docker engine answers/,
      );
    } finally {
      await project.remove();
      own.remove();
    }
  });

  test('before its stage starts is retried, and fails with the same message', async () => {
    const host = 'unix:///nowhere/docker.sock';
    const pinned = { ...sleeping, image: `retrain/elsewhere@sha256:${'0'.repeat(64)}` };
    const project = new TestProject(
      { train: pinned, retry: { initial_interval: '200ms' } },
      { DOCKER_HOST: host },
    );
    try {
      const worker = await project.startWorker();
      expect(lastAttempt(await project.cli(['start', '--wait']))).toBe(downAt(host));
      const attempts = (): string[] => worker.log.match(/"attempt":[123].*no Docker engine answers/g) ?? [];
      // What the worker printed last may come after the command's end.
      for (let looks = 0; attempts().length < 3 && looks < 100; looks++) await sleep(50);
      expect(attempts()).toHaveLength(3);
    } finally {
      await project.remove();
    }
  });
});

const downAt = (host: string): string => `no Docker engine answers at ${host}`;

/** What the failed command said of the engine, which it said once. */
function lastAttempt({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }): string {
  expect(code).toBe(4);
  const said = `${stdout}${stderr}`.match(/no Docker engine answers at [^ ]+/g) ?? [];
  expect(said).toHaveLength(1);
  return said[0] ?? '';
}
