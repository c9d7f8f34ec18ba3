import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { registerModel } from '../../activities/register-model';
import { type RegisterInput } from '../../contracts/activities';
import { type DataParams } from '../../contracts/data-params';
import { Params } from '../../contracts/params';
import { type Evaluation, type TableSchema } from '../../contracts/stage';
import { ContentStore } from '../../integrations/dvc/content-store';
import { createMlflow, type Mlflow } from '../../integrations/mlflow/client';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import { Graph } from '../../ml/onnx/graph';
import { readModelCard } from '../../serving/model/model-card';
import { type Act, json, scriptedServer, type ScriptedServer } from '../integrations/mlflow/scripted-server';

const RULE = { attempts: 1, firstWaitMs: 1, longestWaitMs: 1 };
const HASH = 'a'.repeat(64);

const schema: TableSchema = {
  ...{ features: ['a'], target: 't', classes: ['0', '1'], rows: { train: 8, test: 2 } },
  example: [[1]],
};
const evaluation: Evaluation = {
  candidate: { metrics: { accuracy: 1 }, perClass: [], confusion: [] },
  ...{ champion: null, championError: null, rows: 2 },
};

function onnx(): Uint8Array {
  const graph = new Graph();
  graph.input('a', 'float', ['N', 1]);
  graph.output('label', 'string', ['N']);
  return graph.finish('small', {});
}

const withData = (params: Params, written: Partial<DataParams>): Params => ({
  ...params,
  data: { ...params.data, ...written },
});

describe('registerModel', () => {
  let server: ScriptedServer;
  let mlflow: Mlflow;
  let dir: string;
  let input: RegisterInput;
  let store: ContentStore;
  const scratch = (): string => path.join(dir, 'attempt');

  beforeAll(async () => {
    server = await scriptedServer();
    mlflow = createMlflow(mlflowSettings({ MLFLOW_TRACKING_URI: server.uri }), { rule: RULE });
    dir = mkdtempSync(path.join(tmpdir(), 'retrain-register-'));
    store = new ContentStore(path.join(dir, 'cache'));
    input = {
      spec: {
        params: Params.parse({ experiment: 'e', model: 'm', data: { path: 'd.csv', target: 't' } }),
        ...{ paramsPath: 'params.yaml', paramsHash: HASH, codeHash: HASH, pipelineKey: HASH },
        data: { path: 'd.csv', sha256: HASH, md5: 'b'.repeat(32), sizeBytes: 1 },
        git: { commit: '', branch: '', dirty: false, remoteUrl: '' },
      },
      ...{
        mlflowRunId: 'r1',
        mlflowExperimentId: '1',
        mlflowArtifactUri: 'mlflow-artifacts:/1/r1/artifacts',
      },
      ...{ workflowId: 'w', workflowRunId: 'w1', startedAt: '2026-01-01T00:00:00.000Z' },
      artifacts: {
        'schema.json': await store.putBytes(JSON.stringify(schema), 'schema.json'),
        'evaluation.json': await store.putBytes(JSON.stringify(evaluation), 'evaluation.json'),
        'model.onnx': await store.putBytes(onnx(), 'model.onnx'),
      },
      evaluated: {
        ...{ candidateMetrics: { accuracy: 1 }, championMetrics: null, championError: null, rows: 2 },
        ...{ artifacts: {}, metrics: {}, reused: false },
      },
    };
  });
  afterAll(async () => {
    await mlflow.close();
    await server.close();
    rmSync(dir, { recursive: true });
  });

  const register = (written: Partial<DataParams> = {}): Promise<unknown> =>
    registerModel(
      { mlflow, store, signingKey: null, version: '0' },
      { ...input, spec: { ...input.spec, params: withData(input.spec.params, written) } },
      { at: 1, scratch: scratch() },
      { signal: new AbortController().signal, onProgress: () => undefined },
    );

  /** Answers as MLflow does. */
  const mlflowServer =
    ({ loggedModels, uploads }: { loggedModels: boolean; uploads: boolean }): Act =>
    (response, request, body) => {
      const url = request.url ?? '';
      const model = {
        info: { model_id: `m-${'1'.repeat(32)}`, artifact_uri: 'mlflow-artifacts:/1/models/m/artifacts' },
      };
      const answer = (): Act => {
        if (request.method === 'PUT')
          return json(uploads ? 200 : 400, { error_code: 'BAD', message: 'refused' });
        if (url.includes('logged-models')) {
          return loggedModels ? json(200, { models: [model], model }) : json(404, { detail: 'Not Found' });
        }
        if (url.includes('model-versions/search')) {
          return json(200, { model_versions: [{ name: 'm', version: '7', run_id: 'r1' }] });
        }
        if (url.includes('runs/get')) {
          return json(200, { run: { outputs: { model_outputs: [{ model_id: model.info.model_id }] } } });
        }
        return json(200, {});
      };
      answer()(response, request, body);
    };

  const uploads = (): string[] =>
    server.requests
      .filter((line) => line.startsWith('PUT '))
      .map((line) => line.split('/artifacts/').slice(1).join('/artifacts/'));

  test('puts the files into the logged model, the version before its provenance, MLmodel last of all', async () => {
    server.script(mlflowServer({ loggedModels: true, uploads: true }));
    expect(await register()).toMatchObject({ modelVersion: '7' });
    const names = uploads();
    expect(names).toEqual(
      expect.arrayContaining(['1/models/m/artifacts/model.onnx', '1/r1/artifacts/evaluation.json']),
    );
    expect(names.slice(-2)).toEqual(['1/models/m/artifacts/provenance.json', '1/models/m/artifacts/MLmodel']);
    const at = (part: string): number => server.requests.findIndex((line) => line.includes(part));
    expect(at('model-versions/search')).toBeGreaterThan(at('model.onnx'));
    expect(at('model-versions/search')).toBeLessThan(at('provenance.json'));
    // The root of the run's files is known; it is not asked for.
    expect(server.requests.filter((line) => line.includes('runs/get'))).toHaveLength(1);
    expect(existsSync(scratch())).toBe(false);
  });

  test('tells in MLmodel how the tables of the training are written, where params.yaml says so', async () => {
    server.script(mlflowServer({ loggedModels: true, uploads: true }));
    const csv = { separator: ';', decimal: ',' as const };
    await register();
    await register({ csv, missing: ['', '?'] });
    const [plain, written] = server.bodies
      .filter((body) => body.startsWith('artifact_path: model'))
      .map((body) => parse(body) as { metadata: object });
    expect(plain?.metadata).not.toHaveProperty('data');
    expect(written?.metadata).toHaveProperty('data', { csv, missing: ['', '?'] });
    await mkdir(scratch(), { recursive: true });
    await writeFile(
      path.join(scratch(), 'MLmodel'),
      server.bodies.findLast((body) => body.includes('csv:')) ?? '',
    );
    expect((await readModelCard(scratch())).rules).toEqual({ csv, missing: ['', '?'] });
    rmSync(scratch(), { recursive: true });
  });

  test('puts the files among the run’s own on a server without logged models', async () => {
    server.script(mlflowServer({ loggedModels: false, uploads: true }));
    expect(await register()).toMatchObject({ modelVersion: '7' });
    expect(uploads().at(-1)).toBe('1/r1/artifacts/model/MLmodel');
    const tags = server.bodies.find((body) => body.includes('mlflow.log-model.history'));
    expect(tags).toContain('retrain_pyfunc');
  });

  test('tags run and version with what speaks against the model, bounded, and with nothing else', async () => {
    server.script(mlflowServer({ loggedModels: true, uploads: true }));
    await register();
    const tagged = (): string[] => server.bodies.filter((body) => body.includes('"warnings"'));
    expect(tagged()).toEqual([]);
    const warnings = Array.from({ length: 50 }, (_, at) => ({
      kind: 'leakage',
      message: `${at} ${'x'.repeat(999)}`,
    }));
    const profile = { warnings, rows: 10, rowsRead: 10, target: 't', columns: [] };
    const before = input;
    input = {
      ...input,
      artifacts: {
        ...input.artifacts,
        'profile.json': await store.putBytes(JSON.stringify(profile), 'profile.json'),
      },
      evaluated: { ...input.evaluated, noBetter: 'no better than the majority' },
    };
    await register();
    input = before;
    const [tag] = tagged();
    const value = /"warnings","value":"([^"]*)"/.exec(tag ?? '')?.[1] ?? '';
    expect(value).toMatch(
      /^baseline: no better than the majority; leakage: 0 x+…; leakage: 1 .*; and 45 more$/,
    );
    expect(value.length).toBeLessThan(1300);
  });

  test('leaves no folder behind when it fails', async () => {
    server.script(mlflowServer({ loggedModels: true, uploads: false }));
    await expect(register()).rejects.toThrow('refused');
    expect(existsSync(scratch())).toBe(false);
  });
});
