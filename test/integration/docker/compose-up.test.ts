import { describeWithCompose } from '../../compose/docker-compose';
import { RegistryView } from '../pipeline/registry-view';
import { sleep, TestProject } from '../pipeline/test-project';
import { ComposeStack, giveToWorkers } from './compose-stack';
import { describeWithDocker, dockerHost, engine } from './engine';
import { buildImage, SLOW_STAGE_IMAGE, STAGE_IMAGE, WORKER_IMAGE } from './images';
import { nightly } from '../../tools/nightly';

jest.setTimeout(600_000);

const place = { executor: 'container', image: STAGE_IMAGE, queue: 'retrain-docker', memory: '512m' };

describeWithCompose('with docker compose', () => {
  describeWithDocker('the workers of docker-compose.yml', () => {
    let project: TestProject;
    let stack: ComposeStack;
    let registry: RegistryView;

    beforeAll(() => {
      buildImage(STAGE_IMAGE);
      buildImage(SLOW_STAGE_IMAGE);
      buildImage(WORKER_IMAGE);
      project = new TestProject(
        { train: { ...place, n_estimators: 10 }, evaluate: place },
        { DOCKER_HOST: dockerHost },
      );
      registry = new RegistryView(project.model);
      giveToWorkers(project.dir);
      stack = new ComposeStack(`retrain-${project.id}`, {
        RETRAIN_PROJECT: project.dir,
        RETRAIN_TASK_QUEUE: project.taskQueue,
        TEMPORAL_ADDRESS: project.env['TEMPORAL_ADDRESS'] ?? '',
        MLFLOW_TRACKING_URI: project.env['MLFLOW_TRACKING_URI'] ?? '',
      });
    });

    afterAll(async () => {
      stack.down('--volumes');
      const stages = await stageContainers(project.model);
      await Promise.all(stages.map(({ Id }) => engine.getContainer(Id).remove({ force: true, v: true })));
      await Promise.all([project.remove(), registry.close()]);
      expect(stages).toEqual([]);
      expect(await stack.left()).toEqual({ containers: [], networks: [], volumes: [] });
    });

    test('come up healthy, and run iris with stages in containers beside them', async () => {
      stack.up('worker', 'worker-docker');
      const done = await project.start('--wait');
      expect(done).toMatchObject({
        code: 0,
        how: 'started',
        result: { outcome: 'promoted', modelVersion: '1' },
      });
      const [run] = await registry.runs();
      const { Id: digest } = await engine.getImage(STAGE_IMAGE).inspect();
      expect(run?.tags).toMatchObject({ 'image_digest.train': digest, 'image_digest.evaluate': digest });
      const logs = await registry.mlflow.artifacts.listFiles(run?.artifactUri ?? '', 'logs');
      expect(logs.map(({ path }) => path).sort()).toEqual(['evaluate.log', 'train.log']);
    });

    nightly('lose nothing by down and up: neither what is in the store nor what runs meanwhile', async () => {
      project.writeParams({ train: { ...place, image: SLOW_STAGE_IMAGE, n_estimators: 10 } });
      await project.start();
      const training = await running(project.model);
      const stored = stack.storedFiles();
      expect(stored.length).toBeGreaterThan(0);
      stack.down();
      expect(await stack.left()).toMatchObject({ containers: [], networks: [] });
      expect((await engine.getContainer(training).inspect()).State.Running).toBe(true);
      stack.up('worker', 'worker-docker');
      expect(stack.storedFiles()).toEqual(expect.arrayContaining(stored));
      expect(await project.start('--wait')).toMatchObject({ code: 0, result: { modelVersion: '2' } });
    });
  });
});

/** Containers of stages of that model's runs: siblings of the workers', which docker compose knows nothing of. */
async function stageContainers(model: string): Promise<{ Id: string; State: string }[]> {
  const containers = await engine.listContainers({ all: true, filters: { label: ['retrain.stage'] } });
  return containers.filter(({ Labels }) => Labels['retrain.workflow-id']?.includes(model));
}

/** Id of a stage's container, once it runs. */
async function running(model: string): Promise<string> {
  for (;;) {
    const found = (await stageContainers(model)).find(({ State }) => State === 'running');
    if (found !== undefined) return found.Id;
    await sleep(50);
  }
}
