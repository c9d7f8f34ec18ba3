import { RegistryView } from '../pipeline/registry-view';
import { TestProject } from '../pipeline/test-project';
import { describeWithDocker, dockerHost } from './engine';
import { buildImage, SKLEARN_IMAGE, STAGE_IMAGE } from './images';

jest.setTimeout(600_000);

describeWithDocker('a stage in another language', () => {
  const project = new TestProject(
    {
      preprocess: { executor: 'container', image: STAGE_IMAGE },
      train: { executor: 'container', image: SKLEARN_IMAGE, memory: '1g', n_estimators: 20 },
    },
    { DOCKER_HOST: dockerHost },
  );
  const registry = new RegistryView(project.model);

  beforeAll(() => {
    buildImage(STAGE_IMAGE);
    buildImage(SKLEARN_IMAGE);
  });
  afterAll(async () => {
    await project.remove();
    await registry.close();
  });

  test('trains with scikit-learn, and the run goes on with its model as with any other', async () => {
    await project.startWorker();
    const first = await project.start('--wait');
    expect(first).toMatchObject({ code: 0, result: { outcome: 'promoted', alias: 'production' } });
    expect(first.result?.metrics['accuracy']).toBeGreaterThan(0.9);
    const repeated = await project.start('--force', '--wait');
    expect(repeated.result?.modelVersion).toBe('2');
    const [second, original] = await registry.runs();
    const models = await Promise.all(
      [original, second].map(async (run) =>
        registry.mlflow.artifacts.downloadBytes(await registry.modelRoot(run), 'model.onnx'),
      ),
    );
    expect(Buffer.compare(models[0] ?? new Uint8Array(), models[1] ?? new Uint8Array(1))).toBe(0);
  });

  test('says what is wrong with the params in its own words', async () => {
    project.writeParams({
      train: {
        executor: 'container',
        image: SKLEARN_IMAGE,
        engine: 'ml-random-forest',
        max_depth: 3,
        memory: '20m',
      },
    });
    const { code, stderr, stdout } = await project.cli(['start', '--wait']);
    expect(code).toBe(1);
    expect(`${stdout}${stderr}`).toMatch(/out of memory, its limit is 20m/);
  });
});
