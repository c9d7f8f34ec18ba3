import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createComputeActivities } from '../../activities/compute-activities';
import { ContainerStages } from '../../activities/container-stages';
import { requireRunnable } from '../../activities/runnable-spec';
import { StageExecutions } from '../../activities/stage-executions';
import { checkedSpec } from '../../activities/spec-guard';
import { type RunSpec } from '../../contracts/run';
import { ContentStore } from '../../integrations/dvc/content-store';
import { StageResults } from '../../pipeline/results/stage-results';
import { identifyRun } from '../../pipeline/run/identify-run';
import { isSealed, startSecret, withSeal } from '../../pipeline/run/start-seal';

const CODE = { combined: 'c'.repeat(64), stages: { preprocess: 'a', train: 'b', evaluate: 'c' } };
const PARAMS = 'experiment: e\nmodel: m\ndata: {path: d.csv, target: y}\n';

let project: string;
beforeAll(() => {
  project = mkdtempSync(path.join(tmpdir(), 'runnable-'));
  writeFileSync(path.join(project, 'params.yaml'), PARAMS);
  writeFileSync(path.join(project, 'none.yaml'), `${PARAMS}triggers: {overrides: false}\n`);
  writeFileSync(path.join(project, 'some.yaml'), `${PARAMS}triggers: {overrides: [preprocess.filter]}\n`);
  writeFileSync(path.join(project, 'd.csv'), 'a,y\n1,x\n2,y\n');
});
afterAll(() => rmSync(project, { recursive: true }));

/** As a client makes it, and as it travels. */
async function spec(
  overrides: Record<string, unknown> = {},
  paramsPath = 'params.yaml',
  by: string | null = null,
): Promise<RunSpec> {
  const identity = await identifyRun({
    ...{ project, paramsPath, overrides, code: CODE },
    imageDigest: () => Promise.resolve(`sha256:${'d'.repeat(64)}`),
  });
  const made = { ...identity, git: { commit: '', branch: '', dirty: false, remoteUrl: '' } };
  return checkedSpec(JSON.parse(JSON.stringify(withSeal(made, by))));
}

const SECRET = 's'.repeat(32);
const SQL = { preprocess: { sql: 'select * from data' } };

describe('a spec that nobody vouches for', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['says what params.yaml says', {}, 'params.yaml'],
    ['changes what a trigger may change', { train: { n_estimators: 3 }, experiment: 'other' }, 'params.yaml'],
    ['changes what triggers.overrides lists', { preprocess: { filter: 'a > 1' } }, 'some.yaml'],
  ])('runs when it %s', async (_what, overrides, file) => {
    await requireRunnable(await spec(overrides, file), project, SECRET);
    await requireRunnable(await spec(overrides, file), project, null);
  });

  test.each<[string, Record<string, unknown>, string, string]>([
    ['SQL', SQL, 'preprocess.sql', 'params.yaml'],
    ['a filter', { preprocess: { filter: 'a > 1' } }, 'preprocess.filter', 'params.yaml'],
    [
      'an image, which is not in the params hash of a stage in process',
      { train: { executor: 'container', image: 'evil/x:1' } },
      'train.image',
      'params.yaml',
    ],
    ['approvers of its own', { promote: { approvers: ['eve'] } }, 'promote.approvers', 'params.yaml'],
    ['any override, where none is let', { train: { n_estimators: 3 } }, 'train.n_estimators', 'none.yaml'],
    ['leave for itself', { triggers: { overrides: true } }, 'triggers.overrides', 'none.yaml'],
    ['what is not listed', { train: { n_estimators: 3 } }, 'train.n_estimators', 'some.yaml'],
  ])('is refused with %s', async (_what, overrides, key, file) => {
    const refused = requireRunnable(await spec(overrides, file), project, SECRET);
    await expect(refused).rejects.toMatchObject({ code: 'CONFIG_INVALID', retryable: false });
    await expect(refused).rejects.toThrow(
      new RegExp(`^spec.params: a trigger may not change .*${key.replace('.', '\\.')}.*RETRAIN_START_SECRET`),
    );
  });

  test('is refused when it leaves out an approval that params.yaml wants', async () => {
    const made = await spec();
    writeFileSync(path.join(project, 'approved.yaml'), `${PARAMS}promote: {approval: required}\n`);
    const refused = requireRunnable({ ...made, paramsPath: 'approved.yaml' }, project, SECRET);
    await expect(refused).rejects.toThrow(/may not change promote\.approval/);
  });

  test.each<[string, Partial<RunSpec>]>([
    ['of its params', { paramsHash: 'f'.repeat(64) }],
    ['of the run', { pipelineKey: 'f'.repeat(64) }],
    ['of its tables together', { dataHash: 'f'.repeat(64) }],
    ['of its code', { codeHash: 'f'.repeat(64) }],
  ])('is refused with a forged hash %s, sealed or not', async (_what, forged) => {
    for (const by of [null, SECRET]) {
      const made = withSeal({ ...(await spec()), ...forged }, by);
      await expect(requireRunnable(made, project, SECRET)).rejects.toThrow(
        /but model, data, params and code make/,
      );
    }
  });

  test.each(['../params.yaml', '/etc/passwd', 'gone.yaml', '.env'])(
    'of the params file %s is refused',
    async (paramsPath) => {
      const refused = requireRunnable({ ...(await spec()), paramsPath }, project, SECRET);
      await expect(refused).rejects.toMatchObject({ code: expect.stringMatching(/^CONFIG_/) as string });
    },
  );
});

describe('a spec of the project’s own command line', () => {
  test('runs whatever it changes', async () => {
    await requireRunnable(await spec(SQL, 'none.yaml', SECRET), project, SECRET);
  });

  test('is nobody’s once a key of it is another', async () => {
    const made = await spec(SQL, 'params.yaml', SECRET);
    const other = await spec({ preprocess: { sql: 'select a, y from data' } });
    await expect(requireRunnable({ ...other, seal: made.seal }, project, SECRET)).rejects.toThrow(
      'preprocess.sql',
    );
    for (const change of [{ forceId: 'again' }, { user: 'bob' }, { paramsPath: 'none.yaml' }])
      expect(isSealed({ ...made, ...change }, SECRET)).toBe(false);
  });

  test('of another project, or of a guess, is looked through as any other', async () => {
    const made = await spec(SQL, 'params.yaml', 'another secret!!');
    await expect(requireRunnable(made, project, SECRET)).rejects.toThrow('preprocess.sql');
    await expect(requireRunnable(made, project, null)).rejects.toThrow('preprocess.sql');
  });
});

describe('the secret of a project', () => {
  test('is made once, for its owner only', () => {
    const state = path.join(project, '.retrain');
    const secret = startSecret(state, {});
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(startSecret(state, {})).toBe(secret);
    const file = path.join(state, 'start-secret');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toBe(secret);
  });

  test('is that of RETRAIN_START_SECRET, unless it can be guessed', () => {
    expect(startSecret('/nowhere', { RETRAIN_START_SECRET: SECRET })).toBe(SECRET);
    expect(() => startSecret('/nowhere', { RETRAIN_START_SECRET: 'hunter2' })).toThrow(
      /at least 16 characters, got 7; .*openssl/,
    );
  });

  test('is none where none can be kept', () => {
    const taken = path.join(project, 'taken');
    mkdirSync(path.join(taken, 'start-secret'), { recursive: true });
    expect(startSecret(taken, {})).toBeNull();
    expect(startSecret(path.join(project, 'd.csv', 'below'), {})).toBeNull();
  });
});

test('preprocess, which may begin before the run is opened, looks the spec through itself', async () => {
  const store = new ContentStore(path.join(project, 'cache'));
  const run = (): Promise<never> => Promise.reject(new Error('it ran'));
  const containers = new ContainerStages({ executor: { run }, keepLog: run });
  const { preprocess } = createComputeActivities({
    ...{ project, store, code: CODE, startSecret: SECRET },
    results: new StageResults(store, { project, onTrouble: () => undefined }),
    executions: new StageExecutions({ run }, containers, { own: project, shared: project }),
  });
  const refused = preprocess({ spec: await spec(SQL), artifacts: {} });
  await expect(refused).rejects.toThrow(/a trigger may not change preprocess\.sql/);
});
