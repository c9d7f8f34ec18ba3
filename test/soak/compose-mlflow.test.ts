import { randomUUID } from 'node:crypto';
import { freePort } from '../../client/stack/ports';
import { describeWithCompose } from '../compose/docker-compose';
import { ComposeStack } from '../integration/docker/compose-stack';
import { describeWithDocker } from '../integration/docker/engine';
import { buildImage, MLFLOW_IMAGE } from '../integration/docker/images';

jest.setTimeout(900_000);

describeWithCompose('with docker compose', () => {
  describeWithDocker('the MLflow server of docker-compose.yml', () => {
    let port: number;
    let stack: ComposeStack;

    beforeAll(async () => {
      buildImage(MLFLOW_IMAGE);
      port = await freePort();
      stack = new ComposeStack(`retrain-${randomUUID().slice(0, 8)}`, { RETRAIN_MLFLOW_PORT: String(port) });
      stack.up('mlflow');
    });

    afterAll(async () => {
      stack.down('--volumes');
      expect(await stack.left()).toEqual({ containers: [], networks: [], volumes: [] });
    });

    test('answers on this machine’s own port', async () => {
      const health = await fetch(`http://127.0.0.1:${port}/health`);
      expect([health.status, await health.text()]).toEqual([200, 'OK']);
      const runs = await fetch(`http://127.0.0.1:${port}/api/2.0/mlflow/experiments/search?max_results=1`);
      expect(await runs.json()).toMatchObject({ experiments: [{ name: 'Default' }] });
    });

    test.each([
      ['the workers’ name for it', 'mlflow:5000', 200],
      ['a name that it was not given', 'elsewhere.example', 403],
    ])('answers requests for %s with %s: %i', (_what, host, status) => {
      const ask = [
        'import sys, urllib.request as u, urllib.error as e',
        `r = u.Request("http://127.0.0.1:5000/api/2.0/mlflow/experiments/search?max_results=1", headers={"Host": "${host}"})`,
        'try: print(u.urlopen(r).status)',
        'except e.HTTPError as error: print(error.code)',
      ].join('\n');
      expect(stack.exec('mlflow', 'python3', '-c', ask)).toBe(String(status));
    });

    test('has the drivers of PostgreSQL and of S3', () => {
      expect(stack.exec('mlflow', '/venv/bin/python', '-c', 'import psycopg2, boto3; print("both")')).toBe(
        'both',
      );
    });
  });
});
