import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ALIAS } from '../../contracts/names';
import { createMlflow, type Mlflow } from '../../integrations/mlflow/client';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import { freePort } from '../../client/stack/ports';
import { describeWithCompose } from '../compose/docker-compose';
import { freshKey } from '../integrations/mlflow/training-result';
import { sleep } from '../integration/pipeline/test-project';
import { twoClasses } from '../serving/model/two-classes';
import { ComposeStack, giveToWorkers } from '../integration/docker/compose-stack';
import { describeWithDocker } from '../integration/docker/engine';
import { buildImage, MLFLOW_IMAGE, WORKER_IMAGE } from '../integration/docker/images';

jest.setTimeout(900_000);

const ROW = { size: 3, weight: 4 };

describeWithCompose('with docker compose', () => {
  describeWithDocker('the prediction API of docker-compose.yml', () => {
    const model = `sizes-${randomUUID().slice(0, 8)}`;
    const project = mkdtempSync(path.join(tmpdir(), 'compose-api-'));
    let stack: ComposeStack;
    let mlflow: Mlflow;
    let api: string;

    beforeAll(async () => {
      buildImage(MLFLOW_IMAGE);
      buildImage(WORKER_IMAGE);
      const [mlflowPort, apiPort] = [await freePort(), await freePort()];
      api = `http://127.0.0.1:${apiPort}`;
      mlflow = createMlflow(mlflowSettings({ MLFLOW_TRACKING_URI: `http://127.0.0.1:${mlflowPort}` }));
      writeFileSync(
        path.join(project, 'params.yaml'),
        `experiment: ${model}\nmodel: ${model}\ndata: { path: data.csv, target: y }\n`,
      );
      // `make compose-up` keeps the servers' passwords in there.
      mkdirSync(path.join(project, '.retrain'));
      giveToWorkers(project);
      stack = new ComposeStack(`retrain-${model}`, {
        RETRAIN_MLFLOW_PORT: String(mlflowPort),
        RETRAIN_API_PORT: String(apiPort),
        RETRAIN_PROJECT: project,
      });
      stack.up('mlflow', 'api');
    });

    afterAll(async () => {
      stack.down('--volumes');
      await mlflow.close();
      rmSync(project, { recursive: true });
      expect(await stack.left()).toEqual({ containers: [], networks: [], volumes: [] });
    });

    const ask = async (route: string, body?: object): Promise<{ status: number; said: unknown }> => {
      for (;;) {
        try {
          const response = await fetch(`${api}${route}`, {
            ...(body !== undefined && {
              method: 'POST',
              headers: { 'content-type': 'application/json' },
              body: JSON.stringify(body),
            }),
          });
          return { status: response.status, said: await response.json() };
        } catch {
          // A published port takes a moment to be there.
          await sleep(100);
        }
      }
    };
    const answering = async (version: string): Promise<unknown> => {
      for (;;) {
        const { status, said } = await ask('/predict', ROW);
        if (status === 200 && (said as { model_version: string }).model_version === version) return said;
        await sleep(100);
      }
    };

    /** Puts a model into the stack's registry, and into production. */
    async function promoted(): Promise<string> {
      const { dir } = await twoClasses('forest');
      const { run } = await mlflow.runs.open({
        experimentId: await mlflow.experiments.ensure(model),
        name: 'made by hand',
        identity: { pipelineKey: freshKey(), workflowId: 'w', workflowRunId: 'w1' },
        tags: {},
        params: {},
      });
      for (const file of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        if (!statSync(path.join(dir, file)).isFile()) continue;
        await mlflow.artifacts.uploadBytes(
          run.artifactUri,
          `model/${file}`,
          readFileSync(path.join(dir, file)),
        );
      }
      rmSync(path.dirname(dir), { recursive: true });
      const source = `runs:/${run.runId}/model`;
      const { version } = await mlflow.registry.findOrCreateVersion({
        ...{ name: model, runId: run.runId, source, tags: {} },
      });
      await mlflow.registry.setAlias(model, ALIAS.production, version);
      return version;
    }

    test('is healthy and not ready before there is a model, and says what to do', async () => {
      expect(await ask('/live')).toEqual({ status: 200, said: { live: true } });
      const { status, said } = await ask('/ready');
      expect([status, said]).toMatchObject([
        503,
        { why: expect.stringContaining(`retrain promote ${model}@`) as string },
      ]);
    });

    test('answers with what the stack’s own MLflow has in production', async () => {
      const version = await promoted();
      expect(await answering(version)).toMatchObject({ model_name: model, model_version: '1' });
      expect(await ask('/ready')).toEqual({ status: 200, said: { ready: true } });
      await answering(await promoted());
    });

    test('goes on from its own copy after down and up, while MLflow is away', async () => {
      stack.down();
      stack.up('api');
      expect(await answering('2')).toMatchObject({ model_name: model });
      expect((await ask('/health')).said).toMatchObject({
        status: 'degraded',
        mlflow: { reachable: false },
      });
    });
  });
});
