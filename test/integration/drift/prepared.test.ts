import { readFileSync, writeFileSync } from 'node:fs';
import { type DriftReport } from '../../../contracts/drift';
import { ARTIFACT, TableSchema } from '../../../contracts/stage';
import { createMlflow } from '../../../integrations/mlflow/client';
import { modelDirectory } from '../../../integrations/mlflow/model-directory';
import { mlflowSettings } from '../../../integrations/mlflow/settings';
import { decodeOnnx } from '../../../ml/onnx/decode';
import { encodeOnnx } from '../../../ml/onnx/encode';
import { openPredictionLog } from '../../../serving/log/open-prediction-log';
import { openReference } from '../../../serving/model/open-reference';
import { directoryInput } from '../../integrations/mlflow/upload-model';
import { type Finished, TestProject } from '../pipeline/test-project';
import { csv, people, type Person } from './people';

jest.setTimeout(180_000);

const RAW = ['age', 'height_cm', 'income', 'city', 'buys'] as const;

/** As a spreadsheet in Germany writes it, a missing value as a question mark. */
const german = (rows: readonly Person[], columns: readonly (keyof Person)[]): string =>
  csv(
    rows.map((row) => ({ ...row, city: row.city ?? '?' })),
    columns,
  )
    .replaceAll(',', ';')
    .replaceAll('.', ',');

describe('a model whose tables are written otherwise, and whose columns a query makes', () => {
  const project = new TestProject({
    data: {
      path: 'data/people.csv',
      target: 'buys',
      csv: { separator: ';', decimal: ',' },
      missing: ['', '?'],
    },
    preprocess: {
      sql: 'SELECT age, height_cm / 100 AS height_m, income, city, buys FROM data ORDER BY ALL',
      rename: { city: 'town' },
      encode: { town: 'one-hot' },
    },
    gate: { accuracy: 0.5 },
    drift: { joint: false },
  });

  beforeAll(async () => {
    writeFileSync(project.path('data/people.csv'), german(people(2000, 1), RAW));
    await project.startWorker();
    const { code, stderr } = await project.start('--wait');
    expect(`${code} ${stderr}`).toMatch(/^0/);
  });
  afterAll(() => project.remove());

  /** As the query makes them, with more or less added to the height, in metres. */
  const made = (seed: number, taller = 0): string[][] =>
    people(500, seed).map(({ age, height_cm: height, income, city }) =>
      [age, (height ?? 0) / 100 + taller, income, city].map((cell) => (cell === null ? '?' : String(cell))),
    );
  const NAMES = ['age', 'height_m', 'income', 'town'];
  const written = (rows: readonly string[][], separator: string, decimal: string): string =>
    [
      NAMES.join(separator),
      ...rows.map((row) => row.map((cell) => cell.replace('.', decimal)).join(separator)),
      '',
    ].join('\n');
  const drift = (...args: string[]): Promise<Finished> =>
    project.cli(['drift', '--no-keep', '--json', ...args]);
  const report = async (...args: string[]): Promise<DriftReport> => {
    const { stdout, stderr } = await drift(...args);
    expect(stderr).toBe('');
    return JSON.parse(stdout) as DriftReport;
  };

  test('a table is read as those of the training, whatever params.yaml has become; each flag wins for itself', async () => {
    project.writeParams({ model: project.model, data: { path: 'data/iris.csv', target: 'species' } });
    writeFileSync(project.path('now.csv'), written(made(2), ';', ','));
    const told = await report('--data', 'now.csv');
    expect(told).toMatchObject({ causes: [], current: { rows: 500 } });
    expect(told.columns.map(({ name, missing }) => [name, missing.current > 0]).sort()).toEqual([
      ['age', false],
      ['height_m', false],
      ['income', true],
      ['town', true],
    ]);
    writeFileSync(project.path('plain.csv'), written(made(2), ',', '.'));
    const plain = ['--data', 'plain.csv', '--separator', ',', '--decimal', '.'];
    expect((await report(...plain)).columns).toEqual(told.columns);
    const comma = await drift('--data', 'plain.csv', '--separator', ',');
    expect(comma).toMatchObject({ code: 2, stderr: expect.stringContaining('--decimal .') as string });
    // What is written as missing is of the training still, when only the marks are told; and the other way round.
    const strict = await drift('--data', 'now.csv', '--missing', 'NA');
    expect(strict).toMatchObject({ code: 2, stderr: expect.stringContaining('"?"') as string });
    const late = await drift('--missing', 'NA');
    expect(late).toMatchObject({ code: 2, stderr: expect.stringContaining('--missing is about') as string });
  });

  test('what the query made is compared; of a table of before it is told where its columns come from', async () => {
    writeFileSync(project.path('taller.csv'), written(made(3, 0.1), ';', ','));
    const { causes } = await report('--data', 'taller.csv');
    expect(causes.map(({ key }) => key)).toContain('drift:height_m:distribution');
    writeFileSync(project.path('raw.csv'), german(people(300, 2), RAW));
    const before = await drift('--data', 'raw.csv');
    expect(before).toMatchObject({ code: 2 });
    expect(before.stderr).toMatch(
      /raw\.csv: there is no column "height_m".*preprocess\.sql made the columns of its training: give a table that went through it, or look at the prediction log/,
    );
  });

  test('a model of prepared rows, as other trainers make them, is held against its training rows, prepared', async () => {
    const settings = mlflowSettings({ MLFLOW_TRACKING_URI: project.env['MLFLOW_TRACKING_URI'] });
    const mlflow = createMlflow(settings);
    const { runId } = await mlflow.registry.getVersion(project.model, '1');
    const { artifactUri } = await mlflow.runs.get(runId);
    const text = Buffer.from(await mlflow.artifacts.downloadBytes(artifactUri, ARTIFACT.schema)).toString();
    const schema = TableSchema.parse(JSON.parse(text));
    const raw = decodeOnnx(readFileSync(project.path(`models/${project.model}/model.onnx`)));
    const onnx = encodeOnnx(raw!.forest, {
      ...{ featureNames: schema.features, classLabels: schema.classes, modelName: 'prepared' },
    });
    const about = directoryInput({ schema, onnx, runId, createdAt: 0 });
    for (const file of [{ path: 'model.onnx', bytes: onnx }, ...modelDirectory(about)])
      await mlflow.artifacts.uploadBytes(artifactUri, `prepared/${file.path}`, file.bytes);
    await fetch(new URL('/api/2.0/mlflow/model-versions/create', project.env['MLFLOW_TRACKING_URI']), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: project.model, source: `runs:/${runId}/prepared`, run_id: runId }),
    });
    await mlflow.close();

    const levels = schema.features.filter((name) => name.startsWith('town'));
    expect(levels.length).toBeGreaterThan(2);
    const numbers = ['age', 'height_m', 'income'];
    const prepared = (seed: number, taller: number): Record<string, number>[] =>
      made(seed, taller).map((row) =>
        Object.fromEntries([
          ...numbers.map((name, at) => [name, row[at] === '?' ? 30 : Number(row[at])] as const),
          ...levels.map((name) => [name, name.endsWith(row[3] ?? '') ? 1 : 0] as const),
        ]),
      );
    const table = (rows: Record<string, number>[]): string =>
      [
        schema.features.join(';'),
        ...rows.map((row) => schema.features.map((name) => String(row[name]).replace('.', ',')).join(';')),
        '',
      ].join('\n');
    writeFileSync(project.path('prepared.csv'), table(prepared(2, 0)));
    const same = await report(`${project.model}@2`, '--data', 'prepared.csv');
    expect(same.columns.map(({ name }) => name).sort()).toEqual([...schema.features].sort());
    expect(same).toMatchObject({ prediction: { alarms: [] }, leftOut: [] });
    const alarmed = ({ causes }: DriftReport): string[] => causes.map(({ key }) => key);
    expect(alarmed(same).filter((key) => !key.includes('income'))).toEqual([]);
    writeFileSync(project.path('taller.csv'), table(prepared(3, 0.1)));
    const taller = await report(`${project.model}@2`, '--data', 'taller.csv');
    expect(alarmed(taller)).toContain('drift:height_m:distribution');

    const { model } = await openReference(
      `${project.model}@2`,
      project.dir,
      { mlflow: settings, dir: project.path('.retrain/serving') },
      { publicKey: null, signal: new AbortController().signal },
    );
    const read = model.read(prepared(3, 0.1));
    if ('mistakes' in read) throw new Error(JSON.stringify(read.mistakes));
    const log = openPredictionLog({ dir: project.path('.retrain/predictions') });
    const answered = { modelName: project.model, modelVersion: '2', role: 'production', model } as const;
    const answers = await model.score(read.batch);
    log.add({ ...answered, at: Date.now() - 60_000, requestId: 'all', batch: read.batch, answers });
    await log.close();
    await model.close();
    const logged = await report(`${project.model}@2`, '--log', '--window', '1d');
    expect(logged).toMatchObject({ current: { rows: 500 }, leftOut: [] });
    expect(alarmed(logged)).toEqual(alarmed(taller));
  });
});
