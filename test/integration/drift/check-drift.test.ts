import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type DriftReport } from '../../../contracts/drift';
import { DriftParams } from '../../../contracts/drift-params';
import { ContentStore } from '../../../integrations/dvc/content-store';
import { createMlflow, type Mlflow } from '../../../integrations/mlflow/client';
import { mlflowSettings } from '../../../integrations/mlflow/settings';
import { openProjectRemote } from '../../../pipeline/open-remote';
import { openPredictionLog } from '../../../serving/log/open-prediction-log';
import { openReference } from '../../../serving/model/open-reference';
import { checkDrift } from '../../../serving/watch/check-drift';
import { type DriftDeps, type DriftQuestion } from '../../../serving/watch/drift-question';
import { TestProject } from '../pipeline/test-project';
import { csv, FEATURES, people, type Person } from './people';

jest.setTimeout(180_000);

/** What `retrain drift --json` prints. */
type Printed = DriftReport & { kept: { mlflowRunId: string } };

const { signal } = new AbortController();

describe('whether rows of now look like the training rows', () => {
  const project = new TestProject({
    data: { path: 'data/people.csv', target: 'buys' },
    preprocess: { rename: { years: 'age' }, encode: { city: 'one-hot' }, clip: { age: { max: 70 } } },
    gate: { accuracy: 0.5 },
  });
  let mlflow: Mlflow;
  let deps: DriftDeps;

  beforeAll(async () => {
    writeFileSync(
      project.path('data/people.csv'),
      csv(people(3000, 1), [...FEATURES, 'buys']).replace('age', 'years'),
    );
    const settings = mlflowSettings({ MLFLOW_TRACKING_URI: project.env['MLFLOW_TRACKING_URI'] });
    mlflow = createMlflow(settings);
    await project.startWorker();
    const { result } = await project.start('--wait');
    expect(result).toMatchObject({ outcome: 'promoted', modelVersion: '1' });
    deps = {
      project: project.dir,
      mlflow,
      store: new ContentStore(project.path('.dvc/cache')),
      remote: () => openProjectRemote(project.dir, {}),
      shelf: { mlflow: settings, dir: project.path('.retrain/serving') },
      publicKey: null,
      predictions: project.path('.retrain/predictions'),
    };
  });
  afterAll(async () => {
    await mlflow.close();
    await project.remove();
  });

  const ask = (current: DriftQuestion['current'], params: object = {}, version = 'production') =>
    checkDrift(
      deps,
      {
        model: `${project.model}@${version}`,
        current,
        params: DriftParams.parse({ joint: false, ...params }),
      },
      { signal },
    );

  function table(rows: readonly Person[], name: string): DriftQuestion['current'] {
    writeFileSync(project.path(name), csv(rows, FEATURES));
    return { source: 'data', path: project.path(name), shown: name };
  }
  const changed = (change: (person: Person, row: number) => Partial<Person>): Person[] =>
    people(800, 2).map((person, row) => ({ ...person, ...change(person, row) }));
  const keys = ({ causes }: DriftReport): string[] => causes.map(({ key }) => key);

  test('other people of the same kind are no drift, whatever the hash', async () => {
    const report = await ask(table(people(800, 2), 'same.csv'), { joint: true });
    expect(report).toMatchObject({
      model: project.model,
      modelVersion: '1',
      enough: true,
      causes: [],
      leftOut: [],
      notes: [],
      current: { source: 'data', window: null, data: { path: 'same.csv' }, rows: 800, of: 800 },
    });
    expect(report.reference.rows).toBeGreaterThan(2000);
    expect(report.columns.map(({ name }) => name).sort()).toEqual([...FEATURES].sort());
    expect(report.prediction).toMatchObject({ kind: 'number', alarms: [] });
    expect(report.joint?.auc).toBeGreaterThan(0.4);
    expect(report.joint?.auc).toBeLessThan(0.6);
    // What is missing there is missing here, and not the median that a tree is given.
    const income = report.columns.find(({ name }) => name === 'income');
    expect(income?.missing.reference).toBeGreaterThan(0.05);
    expect(await ask(table(people(800, 2), 'same.csv'), { joint: true })).toEqual(report);
  });

  test('a table may have the names of before they were renamed, and lack what is not looked at', async () => {
    const named = table(people(300, 2), 'named.csv');
    writeFileSync(project.path('raw.csv'), csv(people(300, 2), FEATURES).replace('age', 'years'));
    const raw = { ...named, path: project.path('raw.csv'), shown: 'raw.csv' } as typeof named;
    const [one, other] = [await ask(named), await ask(raw)];
    expect(other.columns).toEqual(one.columns);
    writeFileSync(project.path('short.csv'), csv(people(300, 2), FEATURES.slice(1)));
    const short = { ...raw, path: project.path('short.csv'), shown: 'short.csv' } as typeof named;
    await expect(ask(short)).rejects.toThrow('there is no column "age", which the model takes');
    expect(await ask(short, { exclude: ['age'] })).toMatchObject({
      ...{ prediction: null, causes: [] },
      leftOut: [{ column: 'age', why: 'not in the data' }],
    });
  });

  test.each<[string, (person: Person, row: number) => Partial<Person>, string[]]>([
    [
      'a column that moved',
      ({ income }) => ({ income: income && income + 15 }),
      ['drift:income:distribution'],
    ],
    [
      'another unit',
      ({ height_cm: height }) => ({ height_cm: height && height / 100 }),
      ['drift:height_cm:new-values', 'drift:height_cm:distribution'],
    ],
    ['a column without values', () => ({ age: null }), ['drift:age:missing']],
    [
      'a level that nobody had',
      (_, row) => (row % 10 === 0 ? { city: 'Hamar' } : {}),
      ['drift:city:new-values'],
    ],
    [
      'a constant that is none any more',
      (_, row) => (row % 4 === 0 ? { one: 2 } : {}),
      ['drift:one:new-values'],
    ],
  ])('%s is told, and no other column', async (_, change, expected) => {
    const report = await ask(table(changed(change), 'changed.csv'));
    const columns = keys(report).filter((key) => !['drift:prediction', 'drift:joint'].includes(key));
    expect(columns).toEqual(expect.arrayContaining(expected));
    const name = expected[0]!.split(':')[1]!;
    expect(columns.filter((key) => !key.startsWith(`drift:${name}:`))).toEqual([]);
    expect(report.columns[0]?.name).toBe(name);
  });

  test('the command looks at a table, too', async () => {
    table(people(99, 2), 'few.csv');
    const few = await project.cli(['drift', '--data', 'few.csv']);
    expect(few).toMatchObject({ code: 0 });
    expect(few.stdout).toContain(`${project.model} v1: too early to say. 99 rows, and 100 are needed`);
    writeFileSync(
      project.path('german.csv'),
      csv(people(400, 2), FEATURES).replaceAll(',', ';').replaceAll('.', ','),
    );
    const german = await project.cli([
      ...['drift', '--data', 'german.csv', '--separator', ';', '--decimal', ',', '--no-keep', '--json'],
    ]);
    expect(JSON.parse(german.stdout)).toMatchObject({ causes: [], kept: null, current: { rows: 400 } });
    const none = await project.cli(['drift']);
    expect(none).toMatchObject({ code: 2 });
    expect(none.stderr).toContain('there is no prediction log yet');
    expect((await project.cli(['drift', '--data', 'few.csv', '--window', '1d'])).code).toBe(2);
  });

  test('too few rows say nothing', async () => {
    expect(await ask(table(people(99, 2), 'few.csv'))).toMatchObject({
      enough: false,
      needed: 100,
      columns: [],
      causes: [],
      current: { rows: 99 },
    });
  });

  test('a column that is not looked at raises no alarm, and is named; so is one that the model does not take', async () => {
    const far = table(
      changed(({ income }) => ({ income: income && income + 15 })),
      'far.csv',
    );
    const report = await ask(far, { exclude: ['income', 'salary'] });
    expect(keys(report).filter((key) => key !== 'drift:prediction')).toEqual([]);
    expect(report).toMatchObject({
      joint: null,
      leftOut: [{ column: 'income', why: 'drift.exclude' }],
      notes: ['drift.exclude names salary, which the model does not take.'],
    });
  });

  test('a column that the model takes and the table lacks is named', async () => {
    writeFileSync(project.path('lacks.csv'), csv(people(300, 2), ['age', 'height_cm', 'income', 'one']));
    const lacks = { source: 'data', path: project.path('lacks.csv'), shown: 'lacks.csv' } as const;
    await expect(ask(lacks)).rejects.toThrow(/lacks\.csv: there is no column "city"/);
    await expect(ask({ ...lacks, path: project.path('no.csv'), shown: 'no.csv' })).rejects.toThrow(/no\.csv/);
  });

  test('of a season, the training rows of the same values are the reference', async () => {
    const oslo = people(4000, 3).filter(({ city }) => city === 'Oslo');
    const report = await ask(table(oslo.slice(0, 400), 'oslo.csv'), { season: 'city' });
    expect(report).toMatchObject({
      causes: [],
      leftOut: [{ column: 'city', why: 'drift.season' }],
      reference: { season: { column: 'city', values: 1 } },
    });
    expect(report.reference.rows).toBeLessThan(report.reference.of);
    expect(keys(await ask(table(oslo.slice(0, 400), 'oslo.csv')))).toContain('drift:city:distribution');
    await expect(ask(table(oslo, 'oslo.csv'), { season: 'town' })).rejects.toThrow(/no column "town"/);
    await expect(ask(table(oslo, 'oslo.csv'), { season: 'height_cm' })).rejects.toThrow(/values, expected/);
  });

  describe('in the prediction log', () => {
    const from = new Date('2026-03-01T00:00:00Z');
    const to = new Date('2026-03-08T00:00:00Z');

    beforeAll(async () => {
      const named = await openReference(`${project.model}@1`, project.dir, deps.shelf, {
        publicKey: null,
        signal,
      });
      const { model } = named;
      const log = openPredictionLog({
        dir: deps.predictions,
        exclude: ['age'],
        now: () => to.getTime(),
      });
      const say = async (
        rows: readonly Person[],
        {
          at,
          version = '1',
          role = 'production',
        }: { at: number; version?: string; role?: 'production' | 'canary' },
      ): Promise<void> => {
        const read = model.read(rows.map(({ buys: _, ...features }) => features));
        if ('mistakes' in read) throw new Error(JSON.stringify(read.mistakes));
        const said = { modelName: project.model, modelVersion: version, role, model, batch: read.batch };
        log.add({
          ...said,
          at,
          requestId: `${role}-${version}-${at}`,
          answers: await model.score(read.batch),
        });
      };
      const day = 86_400_000;
      for (let i = 0; i < 7; i++) await say(people(100, 10 + i), { at: from.getTime() + i * day });
      const rich = people(300, 30).map((person) => ({ ...person, income: 500 }));
      // None of these is of the question: another time, another version, a canary.
      await say(rich, { at: from.getTime() - 1 });
      await say(rich, { at: to.getTime() });
      await say(rich, { at: from.getTime() + day, version: '2' });
      await say(rich, { at: from.getTime() + 2 * day, role: 'canary' });
      await log.close();
      await model.close();
    });

    test('the rows of the version, the time and the role that were asked for are no drift', async () => {
      const report = await ask({ source: 'log', from, to });
      expect(report).toMatchObject({
        causes: [],
        current: {
          ...{ source: 'log', rows: 700, of: 700, data: null },
          window: { from: '2026-03-01T00:00:00.000Z', to: '2026-03-08T00:00:00.000Z' },
        },
        leftOut: [{ column: 'age', why: 'not in all rows of the log' }],
      });
      expect(report.prediction).toMatchObject({ name: 'prediction', kind: 'number', alarms: [] });
    });

    test('those of a time in which they were others are', async () => {
      const report = await ask({ source: 'log', from: to, to: new Date(to.getTime() + 1) });
      expect(keys(report)).toEqual(
        expect.arrayContaining(['drift:income:new-values', 'drift:income:distribution', 'drift:prediction']),
      );
    });

    test('the command says it in words, keeps one report in MLflow, and fails where it is told to', async () => {
      const week = ['drift', '--window', '7d', '--until', '2026-03-08'];
      const quiet = await project.cli([...week, '--fail-on-alarm']);
      expect(quiet).toMatchObject({ code: 0, stderr: expect.not.stringContaining('error') as string });
      expect(quiet.stdout).toContain(`${project.model} v1 feels at home: no drift in any of 4 columns.`);
      expect(quiet.stdout).toMatch(/700 rows of the prediction log, 2026-03-01 00:00 to 2026-03-08 00:00/);
      const first = JSON.parse((await project.cli([...week, '--json'])).stdout) as Printed;
      const second = JSON.parse((await project.cli([...week, '--json'])).stdout) as Printed;
      expect(second).toEqual(first);
      const run = await mlflow.runs.get(first.kept.mlflowRunId);
      expect(run).toMatchObject({
        status: 'FINISHED',
        params: { model: project.model, model_version: '1', source: 'log' },
        metrics: { rows: 700, alarms: 0 },
      });
      const files = await mlflow.artifacts.list(run.artifactUri);
      expect(files.map((file) => file.path).sort()).toEqual(['drift.html', 'drift.json']);

      const late = [
        'drift',
        `${project.model}@1`,
        '--window',
        '1h',
        '--until',
        '2026-03-08 00:30',
        '--no-keep',
      ];
      const loud = await project.cli([...late, '--fail-on-alarm', '--report', 'late.html']);
      expect(loud.code).toBe(3);
      expect(loud.stdout).toMatch(/1 of 4 columns and the predictions.* have drifted/);
      expect(loud.stdout).toContain('income: distribution, PSI');
      expect(readFileSync(project.path('late.html'), 'utf8')).toContain('<b class="bad">Drift</b>');
      expect(await project.cli([...late, '--json'])).toMatchObject({ code: 0 });
    });

    test('the command says why there is nothing to compare', async () => {
      const none = await project.cli(['drift', '--until', '2025-01-01']);
      expect(none).toMatchObject({ code: 2 });
      expect(none.stderr).toMatch(
        /has no row of iris-\w+ v1 in production .* it has rows of v1, v2, from 2026-02-28 to 2026-03-08/,
      );
      const wrong = await project.cli(['drift', '--window', 'a week']);
      expect(wrong).toMatchObject({ code: 2 });
      expect(wrong.stderr).toContain('--window a week: expected a span such as 12h, 7d or 2w');
      const unknown = await project.cli(['drift', `${project.model}@9`]);
      expect(unknown.stderr).toContain('has no version 9');
    });

    test('a time without rows is too few', async () => {
      const none = new Date('2025-01-01');
      const year = { source: 'log', from: none, to: new Date('2026-01-01') } as const;
      expect(await ask(year)).toMatchObject({ enough: false, current: { of: 0 } });
      deps = { ...deps, predictions: project.path('nowhere') };
      expect(await ask({ source: 'log', from, to })).toMatchObject({ enough: false, current: { of: 0 } });
    });
  });

  test('training rows that are not here are fetched from the remote, or asked for in words', async () => {
    const same = table(people(200, 2), 'same.csv');
    const remote = project.path('remote');
    mkdirSync(remote);
    writeFileSync(
      project.path('.dvc/config'),
      `[core]\n    remote = r\n['remote "r"']\n    url = ${remote}\n`,
    );
    expect(await project.cli(['data', 'push'])).toMatchObject({ code: 0 });
    renameSync(project.path('.dvc/cache'), project.path('kept'));
    expect(await ask(same)).toMatchObject({ enough: true, causes: [] });
    rmSync(project.path('.dvc/cache'), { recursive: true });
    for (const entry of readdirSync(remote)) rmSync(path.join(remote, entry), { recursive: true });
    await expect(ask(same)).rejects.toThrow(
      /neither in the content store nor on r; push them where it was trained \(retrain data push\)/,
    );
    renameSync(project.path('kept'), project.path('.dvc/cache'));
  });

  test('a version that others registered has nothing to be held against', async () => {
    const experiment = await mlflow.experiments.ensure(`others-${project.id}`);
    const run = await mlflow.runs.findOrCreateTagged(experiment, 'theirs', ['who', 'others']);
    const name = `others-${project.id}`;
    const post = async (call: string, body: object): Promise<void> => {
      const answer = await fetch(`${project.env['MLFLOW_TRACKING_URI']}/api/2.0/mlflow/${call}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(answer.status).toBe(200);
    };
    await post('registered-models/create', { name });
    await post('model-versions/create', { name, source: `${run.artifactUri}/model`, run_id: run.runId });
    const question = {
      model: `${name}@1`,
      params: DriftParams.parse({}),
      current: table(people(200, 2), 'a.csv'),
    };
    await expect(checkDrift(deps, question, { signal })).rejects.toThrow(/so retrain did not train it/);
  });
});
