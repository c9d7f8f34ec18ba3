/**
 * One of the servers that bench/serving.ts compares: `node http-server.js bare|ours MODEL PORT`. Both answer with the same model, opened by
 * the same engine.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fastify from 'fastify';
import { createApi } from '../../serving/api/create-api';
import { DEFAULT_API } from '../../serving/api/settings';
import { openPredictionLog } from '../../serving/log/open-prediction-log';
import { openModel } from '../../serving/model/open-model';
import { type ServedModel } from '../../serving/model/served-model';
import { LiveModel } from '../../serving/reload/live-model';
import { type ModelsInService, type ReloadStatus } from '../../serving/reload/models-in-service';

async function main(): Promise<void> {
  const [which, dir = '', port] = process.argv.slice(2);
  const served = await openModel(path.resolve(dir));
  await (which === 'bare' ? bare(served, Number(port)) : ours(served, Number(port)));
  process.once('SIGTERM', () => process.exit(0));
}

/** The least that answers: no check of the row, no log, no counters. */
async function bare(served: ServedModel, port: number): Promise<void> {
  const app = fastify();
  app.post<{ Body: Record<string, number> }>('/predict', ({ body }) => {
    const columns = served.fields.map(({ name }) => ({
      ...{ kind: 'number' as const, name },
      values: Float64Array.of(body[name] ?? NaN),
    }));
    const answers = served.score({ rows: 1, columns });
    if (answers instanceof Promise) throw new Error('the model is no forest of ours');
    return { prediction: answers.labels?.[0], probabilities: [...(answers.probabilities ?? [])] };
  });
  await app.listen({ host: '127.0.0.1', port });
}

/** The API with its log, metrics and guards, as `retrain serve` puts it together, but for the registry. */
async function ours(served: ServedModel, port: number): Promise<void> {
  const live = new LiveModel(
    {
      ...{
        name: 'bench',
        version: '1',
        alias: 'production',
        stage: 'Production',
        runId: null,
        dataHash: null,
      },
      ...{ gitCommit: null, metrics: {}, example: [], signed: 'no', loadedAt: Date.now() },
    },
    served,
  );
  const status: ReloadStatus = {
    ...{ state: 'ok', why: null, mlflow: { reachable: true, lastAnswerAt: null } },
    ...{ lastCheckAt: null, refused: [], reloads: 1 },
  };
  const models: ModelsInService = {
    production: () => live,
    choose: () => ({ live, role: 'production' }),
    canary: () => null,
    shadow: () => null,
    status: () => status,
    reload: async () => status,
  };
  const silent = { info: () => undefined, warn: () => undefined, error: console.error };
  const log = openPredictionLog({ dir: mkdtempSync(path.join(tmpdir(), 'bench-log-')) });
  const app = await createApi({ settings: DEFAULT_API, models, log, logger: silent });
  await app.listen({ host: '127.0.0.1', port });
}

void main();
