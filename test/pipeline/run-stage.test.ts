import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Params } from '../../contracts/params';
import { ARTIFACT, type StageProgress } from '../../contracts/stage';
import { ContentStore } from '../../integrations/dvc/content-store';
import { bringInputs } from '../../pipeline/bring-inputs';
import { StageResults } from '../../pipeline/results/stage-results';
import { runStage, type StageExecution, type StageJob } from '../../pipeline/run-stage';
import { computeStage } from '../../pipeline/compute-stage';

let dir: string;
let store: ContentStore;
let results: StageResults;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'run-stage-'));
  store = new ContentStore(join(dir, 'cache'));
  results = new StageResults(store, { project: dir });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const params = Params.parse({ experiment: 'e', model: 'm', data: { path: 'd.csv', target: 'y' } });
const code = { combined: 'c', stages: { preprocess: 'a', train: 'b', evaluate: 'c' } };

async function trainJob(change: Partial<StageJob> = {}): Promise<StageJob> {
  return {
    work: computeStage('train', params, code),
    inputs: {
      [ARTIFACT.train]: await store.putBytes('rows', ARTIFACT.train),
      [ARTIFACT.schema]: await store.putBytes('{}', ARTIFACT.schema),
    },
    afresh: false,
    ...change,
  };
}

/** Runs what a test has it do in its folder, and counts how often. */
function execution(work: (out: string) => void, goesOn = false): StageExecution & { runs: number } {
  const self = {
    dir: join(dir, 'scratch', 'stage'),
    runs: 0,
    run: async (prepare: () => Promise<void>): Promise<number> => {
      self.runs++;
      await prepare();
      work(join(self.dir, 'out'));
      return 7;
    },
    goesOn: () => goesOn,
  };
  return self;
}

const train = (out: string): void => {
  writeFileSync(join(out, ARTIFACT.model), 'a model');
  writeFileSync(join(out, 'metrics.json'), '{"trees": 3}');
};

const watch = (signal = new AbortController().signal, phases: string[] = []) => ({
  signal,
  onProgress: ({ phase }: StageProgress) => void phases.push(phase),
});

test('a stage runs once; asked again, its result is found and nothing runs', async () => {
  const job = await trainJob();
  const first = execution(train);
  const made = await runStage({ store, results }, job, first, watch());
  expect(made).toMatchObject({ reused: false, durationMs: 7, metrics: { trees: 3 } });
  const second = execution(train);
  const found = await runStage({ store, results }, job, second, watch());
  expect(found).toMatchObject({ reused: true, outputs: made.outputs, key: made.key });
  expect([first.runs, second.runs]).toEqual([1, 0]);
  expect(existsSync(first.dir)).toBe(false);
});

test('afresh, or with an environment that has no hash, it runs each time', async () => {
  const job = await trainJob();
  await runStage({ store, results }, job, execution(train), watch());
  const again = execution(train);
  expect(await runStage({ store, results }, { ...job, afresh: true }, again, watch())).toMatchObject({
    reused: false,
  });
  const open = { ...job, work: { ...job.work, cacheable: false } };
  await runStage({ store, results }, open, again, watch());
  expect(again.runs).toBe(2);
});

test('a known result reads no data: the file may be gone', async () => {
  const file = join(dir, 'd.csv');
  writeFileSync(file, 'x,y\n1,2\n');
  const elsewhere = new ContentStore(join(dir, 'elsewhere'));
  const data = await elsewhere.put(file, ARTIFACT.data);
  const bring = (signal: AbortSignal) =>
    bringInputs(store, [{ artifact: data, file, shown: 'd.csv' }], signal);
  const job = {
    work: computeStage('preprocess', params, code),
    inputs: { [ARTIFACT.data]: data },
    bring,
    afresh: false,
  };
  const prepare = (out: string): void => {
    for (const name of job.work.makes) writeFileSync(join(out, name), name);
    writeFileSync(join(out, 'metrics.json'), '{}');
  };
  await runStage({ store, results }, job, execution(prepare), watch());
  rmSync(file);
  rmSync(store.pathOf(data.md5));
  expect(await runStage({ store, results }, job, execution(prepare), watch())).toMatchObject({
    reused: true,
  });
  await expect(
    runStage({ store, results }, { ...job, afresh: true }, execution(prepare), watch()),
  ).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' });
});

test('data that changed meanwhile is no matter when the store has what the run was started for', async () => {
  const file = join(dir, 'd.csv');
  writeFileSync(file, 'x,y\n1,2\n');
  const data = await store.put(file, ARTIFACT.data);
  writeFileSync(file, 'x,y\n3,4\n');
  const input = { artifact: data, file, shown: 'd.csv' };
  await bringInputs(store, [input], new AbortController().signal);
  rmSync(store.pathOf(data.md5));
  await expect(bringInputs(store, [input], new AbortController().signal)).rejects.toMatchObject({
    code: 'DATA_CHANGED',
  });
});

test('the folder of a stage that failed goes, and that of one that goes on stays', async () => {
  const fail = (): void => {
    throw new Error('no');
  };
  const failed = execution(fail);
  const detached = execution(fail, true);
  const job = await trainJob();
  await expect(runStage({ store, results }, job, failed, watch())).rejects.toThrow('no');
  expect(existsSync(failed.dir)).toBe(false);
  await expect(runStage({ store, results }, job, detached, watch())).rejects.toThrow('no');
  expect(existsSync(detached.dir)).toBe(true);
});

test.each<[string, (out: string) => void, string, string]>([
  ['no metrics.json', () => undefined, 'STAGE_FAILED', 'ended without writing out/metrics.json'],
  [
    'a metrics.json that is none',
    (out) => writeFileSync(join(out, 'metrics.json'), '[1]'),
    'STAGE_FAILED',
    'not a flat mapping',
  ],
  [
    'a FIFO as metrics.json',
    (out) => void execFileSync('mkfifo', [join(out, 'metrics.json')]),
    'STAGE_UNSAFE',
    'neither a file nor a folder',
  ],
  [
    'a link as metrics.json',
    (out) => symlinkSync('/etc/hostname', join(out, 'metrics.json')),
    'STAGE_UNSAFE',
    'a symbolic link',
  ],
  ['a folder as metrics.json', (out) => mkdirSync(join(out, 'metrics.json')), 'STAGE_UNSAFE', 'a folder'],
  [
    'a metrics.json of two megabytes',
    (out) => writeFileSync(join(out, 'metrics.json'), Buffer.alloc(2 << 20, 0x20)),
    'STAGE_UNSAFE',
    'expected at most 1048576',
  ],
  [
    'no model',
    (out) => writeFileSync(join(out, 'metrics.json'), '{}'),
    'STAGE_FAILED',
    'expected the output model.onnx',
  ],
])('a stage that leaves %s is said so', async (_what, work, errorCode, message) => {
  const failing = runStage({ store, results }, await trainJob(), execution(work), watch());
  await expect(failing).rejects.toMatchObject({
    code: errorCode,
    message: expect.stringContaining(message) as string,
  });
});

test('whoever waits is told when the outputs are being stored', async () => {
  const phases: string[] = [];
  await runStage({ store, results }, await trainJob(), execution(train), watch(undefined, phases));
  expect(phases).toEqual(['storing']);
});
