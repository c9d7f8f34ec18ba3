/** @jest-environment ./test/onnx-environment.cjs */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { type PublishInput } from '../../contracts/activities';
import { RetrainError } from '../../contracts/errors';
import { type RunSpec } from '../../contracts/run';
import { ARTIFACT } from '../../contracts/stage';
import { fromStageError } from '../../contracts/stage-error';
import { ContentStore } from '../../integrations/dvc/content-store';
import { bringInputs } from '../../pipeline/bring-inputs';
import { computeStage } from '../../pipeline/compute-stage';
import { StageResults } from '../../pipeline/results/stage-results';
import { identifyRun } from '../../pipeline/run/identify-run';
import { runStage, type StageExecution } from '../../pipeline/run-stage';
import { byName, COMPUTE_STAGES, inputsOf } from '../../pipeline/stage';
import { WorkspaceView } from '../../pipeline/workspace/workspace-view';
import { runInFolder } from '../../stages/run-in-folder';
import { describeWith } from '../tools/needs';
import { SmallDisk } from '../tools/small-disk';

const IRIS = path.join(__dirname, '..', '..', 'data', 'iris.csv');
const PARAMS = `experiment: iris
model: iris
data: {path: data/iris.csv, target: species}
train: {n_estimators: 3}
`;
const IGNORED = '# ours\n/secret\n';
const CODE = { combined: 'c', stages: { preprocess: 'a', train: 'b', evaluate: 'c' } };
const MIB = 1 << 20;
const PAGE = 4096;

const disk = SmallDisk.mount(8 * MIB);
const at = (...names: string[]): string => path.join(disk?.dir ?? '', ...names);
let store: ContentStore;
let spec: RunSpec;
let view: WorkspaceView;

beforeAll(async () => {
  if (disk === null) return;
  mkdirSync(at('project/data'), { recursive: true });
  cpSync(IRIS, at('project/data/iris.csv'));
  writeFileSync(at('project/params.yaml'), PARAMS);
  // Where a line is added, of somebody who has lines of their own there.
  mkdirSync(at('project/models/iris'), { recursive: true });
  writeFileSync(at('project/models/iris/.gitignore'), IGNORED);
  store = new ContentStore(at('state/cache'));
  view = new WorkspaceView(at('project'), store, CODE, () => undefined);
  const identity = await identifyRun({
    ...{ project: at('project'), paramsPath: 'params.yaml', code: CODE },
    imageDigest: () => Promise.reject(new Error('no images here')),
  });
  spec = { ...identity, git: { commit: '', branch: '', dirty: false, remoteUrl: '' } };
});
afterAll(() => disk?.unmount());

/** The real stages, in this process. */
function execution(stage: string): StageExecution {
  const dir = at('state/scratch', stage);
  return {
    dir,
    async run(prepare) {
      await prepare();
      const failure = await runInFolder(stage, dir, () => undefined);
      if (failure !== null) throw fromStageError(failure);
      return 1;
    },
  };
}

const watch = { signal: new AbortController().signal, onProgress: () => undefined };

/** All that a run writes here: data into the store, each stage's folder, outputs and result, then the project's view of it. */
async function wholeRun(): Promise<void> {
  const results = new StageResults(store, { project: at('project') });
  const data = { ...spec.data, name: ARTIFACT.data };
  await bringInputs(
    store,
    [{ artifact: data, file: at('project/data/iris.csv'), shown: 'iris.csv' }],
    watch.signal,
  );
  const artifacts = { [ARTIFACT.data]: data };
  const stages: Record<string, PublishInput['stages'][string]> = {};
  for (const stage of COMPUTE_STAGES) {
    const work = computeStage(stage, spec.params, CODE);
    const inputs = inputsOf(stage, artifacts, spec.params);
    const { outputs, metrics } = await runStage(
      { store, results },
      { work, inputs, afresh: false },
      execution(stage),
      watch,
    );
    stages[stage] = { artifacts: byName(outputs), metrics, reused: false };
    Object.assign(artifacts, byName(outputs));
  }
  const metadata = await store.putBytes('{"model": "iris"}', 'model_metadata.json');
  const unshown = await view.show({ spec, stages, metadata });
  if (unshown !== null) throw new RetrainError('DISK_FULL', unshown);
}

/** What is under a final name is whole, and nothing else is left. */
function requireUndamaged(): void {
  for (const file of filesBelow(at('state/cache/files/md5'))) {
    const md5 = createHash('md5').update(readFileSync(file)).digest('hex');
    expect(file.replaceAll(path.sep, '')).toContain(md5);
  }
  const cache = filesBelow(at('state/cache/retrain'));
  for (const file of cache) expect(() => JSON.parse(readFileSync(file, 'utf8')) as unknown).not.toThrow();
  expect(filesBelow(at('state/cache/retrain-staging'))).toEqual([]);
  expect(filesBelow(at('state/scratch'))).toEqual([]);
  for (const name of ['params.yaml', 'dvc.yaml', 'dvc.lock']) {
    const file = at('project', name);
    if (existsSync(file)) expect(parse(readFileSync(file, 'utf8'))).toEqual(expect.any(Object));
  }
  const unfinished = filesBelow(at('project')).filter((name) => /\.(tmp|part|retrain)$/.test(name));
  expect(unfinished).toEqual([]);
  expect(readFileSync(at('project/models/iris/.gitignore'), 'utf8')).toMatch(/^# ours\n\/secret\n/);
  const config = at('project/.dvc/config');
  if (existsSync(config)) expect(readFileSync(config, 'utf8')).toContain('no_scm');
}

function filesBelow(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(dir, name))
    .filter((name) => statSync(name).isFile());
}

const describeSmall = describeWith('small-disk', disk !== null);

describeSmall('a run on a disk of which there is', () => {
  test('a page more each time, gets further each time, says what is full, damages nothing, and ends well', async () => {
    const full = new Set<string>();
    let failures = 0;
    let room = 0;
    for (let there = -1; ; failures++) {
      disk?.leaveRoom(room);
      const [outcome] = await Promise.allSettled([wholeRun()]);
      requireUndamaged();
      if (outcome.status === 'fulfilled') break;
      expect(outcome.reason).toMatchObject({ code: 'DISK_FULL', retryable: true });
      expect((outcome.reason as Error).message).toMatch(/is full \(.*ENOSPC.*make room/);
      expect((outcome.reason as Error).message).toContain(disk?.dir);
      full.add(/(\S+) is full/.exec((outcome.reason as Error).message)?.[1]?.replace(at(), '') ?? '');
      const now = filesBelow(at()).length;
      room = now === there ? room + PAGE : 0;
      there = now;
    }
    expect(failures).toBeGreaterThan(30);
    // What was full each time: all that is written to.
    const places = [...full].join('\n');
    expect(places).toMatch(/^\/state\/cache$/m);
    expect(places).toMatch(/^\/state\/cache\/retrain\/runs\//m);
    for (const stage of COMPUTE_STAGES) expect(places).toContain(`/state/scratch/${stage}`);
    expect(places).toMatch(/^\/project\/(models|prepared)\/iris\//m);
    expect(existsSync(at('project/dvc.lock'))).toBe(true);
    disk?.leaveRoom(4 * MIB);
  }, 120_000);

  test('nothing to write to: a run whose results are known ends, and says why the project does not show it', async () => {
    disk?.setReadOnly(true);
    try {
      const failed = wholeRun();
      await expect(failed).rejects.toThrow(/cannot be written \(EROFS.*mount it writable/);
    } finally {
      disk?.setReadOnly(false);
    }
    await wholeRun();
    requireUndamaged();
  });
});
