import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { RegistryView } from './pipeline/registry-view';
import { TestProject } from './pipeline/test-project';

jest.setTimeout(240_000);

interface Judged {
  outcome: string;
  reason: string;
  passed: boolean;
  champion: string | null;
  metrics: Record<string, number>;
  rows: { rows: number; leftOut: number | null; from: string; note: string | null };
  error?: { code: string; message: string };
}

describe('retrain evaluate', () => {
  const project = new TestProject({ train: { n_estimators: 20 } });
  const registry = new RegistryView(project.model);
  const runs: Awaited<ReturnType<TestProject['start']>>[] = [];

  beforeAll(async () => {
    await project.startWorker();
    runs.push(await project.start('--wait'), await project.start('--wait', '--set', 'train.n_estimators=3'));
  });
  afterAll(async () => {
    await project.remove();
    await registry.close();
  });

  async function judge(version: string, ...options: string[]): Promise<Judged & { exit: number }> {
    const { code, stdout, stderr } = await project.cli([
      'evaluate',
      `${project.model}@${version}`,
      '--json',
      ...options,
    ]);
    if (stdout === '') throw new Error(stderr);
    return { exit: code, ...(JSON.parse(stdout) as Judged) };
  }

  const standing = async (): Promise<unknown> => [
    (await registry.versions()).map(({ version, aliases, tags }) => ({ version, aliases, tags })),
    (await registry.runs()).length,
  ];

  test('says of a version what its run said, and changes nothing', async () => {
    const before = await standing();
    const [first, second] = runs.map(({ result }) => result!);
    const again = await judge('2');
    expect(again).toMatchObject({
      exit: 0,
      ...{ outcome: second!.outcome, reason: second!.reason, passed: true, champion: '1' },
      rows: { rows: 30, leftOut: 0, note: null },
    });
    expect(again.metrics).toEqual(second!.metrics);
    const champion = await judge('production');
    expect(champion).toMatchObject({ exit: 0, outcome: 'in_production', champion: null });
    expect(champion.metrics).toEqual(first!.metrics);
    expect(await standing()).toEqual(before);
  });

  test('goes by another gate, and another policy, without training', async () => {
    const failed = await judge('v2', '--gate', 'accuracy=0.999');
    expect(failed).toMatchObject({ exit: 3, outcome: 'gate_failed', passed: false });
    expect(failed.reason).toMatch(/^accuracy 0\.\d+ is below the gate's 0\.999$/);
    expect(await judge('2', '--set', 'promote.min_rows=31')).toMatchObject({
      exit: 0,
      outcome: 'staged',
      reason: expect.stringContaining('fewer than promote.min_rows, 31') as string,
    });
    const params = readFileSync(project.path('params.yaml'), 'utf8').replace(
      /accuracy: 0.9\b/,
      'accuracy: 0.999',
    );
    writeFileSync(project.path('strict.yaml'), params);
    expect(await judge('2', '--params', 'strict.yaml')).toMatchObject({ exit: 3 });
    expect(await judge('2', '--set', 'train.seed=1')).toMatchObject({
      exit: 2,
      error: { code: 'USAGE', message: expect.stringContaining('changes how a version is made') as string },
    });
  });

  test('scores on another table, prepared as its params say, without the rows that it was trained on', async () => {
    const [header = '', ...lines] = readFileSync(project.path('data/iris.csv'), 'utf8').trim().split('\n');
    // A column that the model does not know, in front and of text.
    const table = [`note,${header}`, ...lines.map((line) => `"a, b",${line}`)].join('\n');
    writeFileSync(project.path('more.csv'), `${table}\n`);
    const judged = await judge('1', '--data', 'more.csv');
    expect(judged).toMatchObject({ exit: 0, rows: { rows: 30, leftOut: 120, from: 'more.csv' } });
    expect(judged.metrics['accuracy']).toBe(runs[0]?.result?.metrics['accuracy']);
    appendFileSync(project.path('more.csv'), '"new",5.15,3.55,1.45,0.25,setosa\n');
    expect(await judge('1', '--data', 'more.csv')).toMatchObject({ rows: { rows: 31, leftOut: 120 } });
  });

  test('says what is wrong with a table', async () => {
    const [header = '', ...lines] = readFileSync(project.path('data/iris.csv'), 'utf8').trim().split('\n');
    const cases: [name: string, text: string, message: RegExp][] = [
      ['target.csv', `${header.replace('species', 'kind')}\n${lines.join('\n')}\n`, /no column "species"/],
      [
        'gone.csv',
        [header, ...lines].map((line) => line.split(',').slice(1).join(',')).join('\n'),
        /takes a column that this table does not have: /,
      ],
      ['class.csv', `${header}\n1,2,3,4,triffid\n`, /classes that the model does not know: triffid/],
      ['absent.csv', '', /absent\.csv/],
    ];
    for (const [name, text, message] of cases) {
      if (name !== 'absent.csv') writeFileSync(project.path(name), text);
      const { exit, error } = await judge('1', '--data', name);
      expect({ name, exit, message: error?.message }).toEqual({
        ...{ name, exit: 2, message: expect.stringMatching(message) as string },
      });
    }
    const seen = await judge('1', '--data', 'data/iris.csv', '--set', 'promote.min_rows=1');
    expect(seen.rows).toMatchObject({ rows: 30, leftOut: 120 });
  });

  test('of an unknown model, version or alias, says which there are', async () => {
    const noVersion = `${project.model} has no version 99; its newest are v2, v1; list the runs: retrain list`;
    expect(await judge('99')).toMatchObject({ exit: 1, error: { code: 'NOT_FOUND', message: noVersion } });
    for (const command of [
      ['show', 'v99'],
      ['promote', `${project.model}@99`, '--reason', 'why not'],
    ]) {
      expect(await project.cli(command)).toMatchObject({ code: 1, stderr: `error: ${noVersion}\n` });
    }
    expect((await judge('blue')).error?.message).toMatch(/has no alias blue; it has production/);
    const unknown = await project.cli(['evaluate', 'nobody@production', '--json']);
    expect(unknown).toMatchObject({ code: 1, stdout: expect.stringContaining('NOT_FOUND') as string });
    const bare = await project.cli(['evaluate', project.model]);
    expect(bare).toMatchObject({ code: 2, stderr: expect.stringContaining('name the version') as string });
  });

  test('where this build splits otherwise, goes by the rows that the version was not trained on', async () => {
    const [run] = (await registry.runs()).filter(({ runId }) => runId === runs[1]?.result?.mlflowRunId);
    await registry.mlflow.runs.log(run!.runId, {
      tags: { 'artifact_sha256.test.parquet': '0'.repeat(64) },
      ...{ metrics: {}, at: Date.now() },
    });
    const judged = await judge('2');
    expect(judged.rows).toMatchObject({ rows: 30, leftOut: 120 });
    expect(judged.rows.note).toMatch(/splits the data otherwise/);
    expect(judged.metrics['accuracy']).toBe(runs[1]?.result?.metrics['accuracy']);
  });

  test('without its data anywhere, says so; with other files than were made, refuses', async () => {
    const { source } = await registry.mlflow.registry.getVersion(project.model, '2');
    const data = readFileSync(project.path('data/iris.csv'));
    rmSync(project.path('.dvc/cache'), { recursive: true, force: true });
    rmSync(project.path('dvc.lock'), { force: true });
    appendFileSync(project.path('data/iris.csv'), '5.1,3.5,1.4,0.2,setosa\n');
    const gone = await judge('2');
    expect({ exit: gone.exit, code: gone.error?.code }).toEqual({ exit: 2, code: 'DATA_NOT_FOUND' });
    expect(gone.error?.message).toContain('--data FILE');
    // The schema is among the run's artifacts: a table will do.
    expect(await judge('2', '--data', 'more.csv')).toMatchObject({ exit: 0, rows: { leftOut: 120 } });
    writeFileSync(project.path('data/iris.csv'), data);
    const root = await registry.mlflow.resolveSource(source);
    const onnx = Buffer.from(await registry.mlflow.artifacts.downloadBytes(root, 'model.onnx'));
    await registry.mlflow.artifacts.uploadBytes(root, 'model.onnx', Buffer.concat([onnx, Buffer.from('!')]));
    expect(await judge('2')).toMatchObject({ exit: 1, error: { code: 'VERIFICATION_FAILED' } });
  });

  test('reads well for people', async () => {
    const { stdout, code } = await project.cli(['evaluate', `${project.model}@1`]);
    expect(code).toBe(0);
    expect(stdout).toContain(`${project.model} v1 (production) passes its gate`);
    expect(stdout).toContain('30 rows: its own held-out rows of data/iris.csv');
    expect(stdout).toContain('Nothing was trained, moved or written to the registry.');
  });
});
