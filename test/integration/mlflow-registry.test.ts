import { randomUUID } from 'node:crypto';
import { createMlflow, type Mlflow } from '../../integrations/mlflow/client';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import { freshKey } from '../integrations/mlflow/training-result';

const settings = mlflowSettings({ MLFLOW_TRACKING_URI: process.env['RETRAIN_TEST_MLFLOW_URI'] });

describe('the registry of a real MLflow server', () => {
  let mlflow: Mlflow;
  let experimentId: string;

  beforeAll(async () => {
    mlflow = createMlflow(settings);
    experimentId = await mlflow.experiments.ensure(`registry-${randomUUID()}`);
  });

  afterAll(() => mlflow.close());

  async function newRun(): Promise<string> {
    const identity = { pipelineKey: freshKey(), workflowId: 'w', workflowRunId: randomUUID() };
    const opened = await mlflow.runs.open({ experimentId, name: 'r', identity, tags: {}, params: {} });
    return opened.run.runId;
  }

  const freshName = (): string => `model-${randomUUID()}`;

  async function newVersion(name: string): ReturnType<Mlflow['registry']['findOrCreateVersion']> {
    const runId = await newRun();
    return mlflow.registry.findOrCreateVersion({ name, runId, source: `runs:/${runId}/model`, tags: {} });
  }

  test('a registered model is made once, also when many ask at once', async () => {
    const name = freshName();
    expect(await mlflow.registry.findModel(name)).toBeNull();
    await Promise.all(Array.from({ length: 8 }, () => mlflow.registry.ensureModel(name)));
    expect(await mlflow.registry.findModel(name)).toEqual({ name, aliases: {}, tags: {} });
  });

  test('a run has one version, however often it is asked for, and its tags are brought up to date', async () => {
    const name = freshName();
    const runId = await newRun();
    const wanted = { name, runId, source: `runs:/${runId}/model`, tags: { test_accuracy: '0.96' } };
    const first = await mlflow.registry.findOrCreateVersion(wanted);
    const { artifactUri } = await mlflow.runs.get(runId);
    expect(first).toMatchObject({ name, version: '1', runId, source: `${artifactUri}/model` });
    const again = await mlflow.registry.findOrCreateVersion({
      ...wanted,
      tags: { ...wanted.tags, promoted: 'false' },
    });
    expect(again.version).toBe('1');
    expect((await mlflow.registry.getVersion(name, '1')).tags).toEqual({
      test_accuracy: '0.96',
      promoted: 'false',
    });
    const other = await newVersion(name);
    expect(other.version).toBe('2');
  });

  test('ten attempts at once leave one version, and all that come after hold it', async () => {
    const name = freshName();
    const runId = await newRun();
    const wanted = { name, runId, source: `runs:/${runId}/model`, tags: {} };
    await Promise.all(Array.from({ length: 10 }, () => mlflow.registry.findOrCreateVersion(wanted)));
    const left = await mlflow.registry.listVersions(name);
    expect(left).toHaveLength(1);
    expect((await mlflow.registry.findOrCreateVersion(wanted)).version).toBe(left[0]?.version);
  });

  test('an alias is null until set, moves, and goes; deleting it twice is fine', async () => {
    const name = freshName();
    expect(await mlflow.registry.findByAlias(name, 'production')).toBeNull();
    await newVersion(name);
    await newVersion(name);
    expect(await mlflow.registry.findByAlias(name, 'production')).toBeNull();
    await mlflow.registry.setAlias(name, 'production', '1');
    await mlflow.registry.setAlias(name, 'production', '2');
    await mlflow.registry.setAlias(name, 'previous-production', '1');
    expect(await mlflow.registry.findByAlias(name, 'production')).toMatchObject({ version: '2' });
    expect(
      (await mlflow.registry.listVersions(name)).map(({ version, aliases }) => [version, aliases]),
    ).toEqual([
      ['2', ['production']],
      ['1', ['previous-production']],
    ]);
    await mlflow.registry.deleteAlias(name, 'production');
    await mlflow.registry.deleteAlias(name, 'production');
    expect(await mlflow.registry.findByAlias(name, 'production')).toBeNull();
  });

  test('the server’s refusal of a reserved alias is passed on', async () => {
    const name = freshName();
    await newVersion(name);
    await expect(mlflow.registry.setAlias(name, 'v7', '1')).rejects.toMatchObject({
      code: 'MLFLOW_REFUSED',
      message: expect.stringContaining('v7') as string,
    });
  });

  test('the deprecated stages move, and the one before is archived', async () => {
    const name = freshName();
    await newVersion(name);
    await newVersion(name);
    expect(await mlflow.registry.transitionStage(name, '1', 'Production')).toBe('done');
    expect(await mlflow.registry.transitionStage(name, '2', 'Production')).toBe('done');
    expect((await mlflow.registry.listVersions(name)).map(({ version, stage }) => [version, stage])).toEqual([
      ['2', 'Production'],
      ['1', 'Archived'],
    ]);
    await expect(mlflow.registry.transitionStage(name, '9', 'Production')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('a version that does not exist is NOT_FOUND, and deleting it is fine', async () => {
    const name = freshName();
    await mlflow.registry.ensureModel(name);
    await expect(mlflow.registry.getVersion(name, '3')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await mlflow.registry.deleteVersion(name, '3');
    expect(await mlflow.registry.listVersions(name)).toEqual([]);
    expect(await mlflow.registry.listVersions(freshName())).toEqual([]);
  });
});
