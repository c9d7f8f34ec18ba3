import { Client, Connection } from '@temporalio/client';
import path from 'node:path';
import { RegistryView } from '../pipeline/registry-view';
import { sleep, TestProject } from '../pipeline/test-project';
import { BASE_IMAGE, describeWithDocker, dockerHost, engine } from './engine';
import { buildImage, SLOW_STAGE_IMAGE, STAGE_IMAGE } from './images';
import { nightly } from '../../tools/nightly';

jest.setTimeout(600_000);

const env = { DOCKER_HOST: dockerHost, RETRAIN_DOCKER_IMAGES: 'retrain/*,node:*' };

function labelled(project: TestProject): Promise<{ Id: string; State: string; Names: string[] }[]> {
  return engine
    .listContainers({ all: true, filters: { name: ['retrain-'] } })
    .then((all) => all.filter(({ Labels }) => (Labels['retrain.dir'] ?? '').startsWith(project.dir)));
}

describeWithDocker('a pipeline whose stages run in containers', () => {
  beforeAll(() => {
    buildImage(STAGE_IMAGE);
    buildImage(SLOW_STAGE_IMAGE);
  });

  test('gives the bytes that it gives in process, and another run name, with the images in its lineage', async () => {
    const place = { executor: 'container', image: STAGE_IMAGE, memory: '512m' };
    const project = new TestProject({ retry: { initial_interval: '200ms' } }, env);
    const registry = new RegistryView(project.model);
    try {
      await project.startWorker();
      const inProcess = await project.start('--wait');
      project.writeParams({
        preprocess: place,
        train: { ...place, n_estimators: 10 },
        evaluate: place,
      });
      const contained = await project.start('--wait');
      expect(contained).toMatchObject({ code: 0, how: 'started', result: { modelVersion: '2' } });
      expect(contained.result?.codeHash).not.toBe(inProcess.result?.codeHash);
      expect(contained.result?.metrics).toEqual(inProcess.result?.metrics);
      const [second, first] = await registry.runs();
      const models = await Promise.all(
        [first, second].map(async (run) =>
          registry.mlflow.artifacts.downloadBytes(await registry.modelRoot(run), 'model.onnx'),
        ),
      );
      expect(Buffer.compare(models[0] ?? new Uint8Array(), models[1] ?? new Uint8Array(1))).toBe(0);
      const digest = (await engine.getImage(STAGE_IMAGE).inspect()).Id;
      expect(second?.tags).toMatchObject({
        'image_digest.preprocess': digest,
        'image_digest.train': digest,
        'image_digest.evaluate': digest,
      });
      const logs = await registry.mlflow.artifacts.listFiles(second?.artifactUri ?? '', 'logs');
      expect(logs.map(({ path: file }) => path.basename(file)).sort()).toEqual([
        'evaluate.log',
        'preprocess.log',
        'train.log',
      ]);
      expect(await project.start()).toMatchObject({ how: 'finished' });
      expect(await labelled(project)).toEqual([]);
    } finally {
      await project.remove();
      await registry.close();
    }
  });

  test('is taken on by the next worker after kill -9, in the same container', async () => {
    const project = new TestProject(
      { train: { executor: 'container', image: SLOW_STAGE_IMAGE, n_estimators: 10 } },
      env,
    );
    try {
      const doomed = await project.startWorker();
      await project.start();
      const before = await running(project);
      await doomed.kill();
      await project.startWorker();
      const waiting = project.start('--wait');
      await sleep(1000);
      expect((await labelled(project)).map(({ Id }) => Id)).toEqual([before]);
      expect(await waiting).toMatchObject({ code: 0, result: { outcome: 'promoted', modelVersion: '1' } });
      expect(await labelled(project)).toEqual([]);
    } finally {
      await project.remove();
    }
  });

  nightly('that is cancelled is gone long before its stage would end', async () => {
    const project = new TestProject({ train: SLEEPING }, env);
    try {
      await project.startWorker();
      await project.start();
      await running(project);
      expect((await project.cli(['cancel', '--json'])).code).toBe(0);
      while ((await labelled(project)).length > 0) await sleep(50);
    } finally {
      await project.remove();
    }
  });

  nightly('whose run was terminated is swept when a worker starts', async () => {
    const project = new TestProject({ train: SLEEPING }, env);
    try {
      const first = await project.startWorker();
      const { workflowId = '' } = await project.start();
      await running(project);
      await first.kill();
      await terminate(workflowId);
      await project.startWorker();
      while ((await labelled(project)).length > 0) await sleep(50);
    } finally {
      await project.remove();
    }
  });

  /** Id of the training container, once it runs. */
  async function running(project: TestProject): Promise<string> {
    for (;;) {
      const found = (await labelled(project)).find(({ State }) => State === 'running');
      if (found !== undefined) return found.Id;
      await sleep(50);
    }
  }
});

const SLEEPING = { executor: 'container', image: BASE_IMAGE, command: ['sleep', '3600'] };

async function terminate(workflowId: string): Promise<void> {
  const connection = await Connection.connect({
    address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '',
  });
  await new Client({ connection }).workflow.getHandle(workflowId).terminate('test');
  await connection.close();
}
