import { execFileSync } from 'node:child_process';
import {
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readJson } from '../../activities/read-json';
import { fromStageError } from '../../contracts/stage-error';
import { Params } from '../../contracts/params';
import { ARTIFACT } from '../../contracts/stage';
import { takeOver, usedBytes } from '../../integrations/docker/outputs';
import { ContentStore } from '../../integrations/dvc/content-store';
import { removeTree } from '../../integrations/files/remove-tree';
import { stageErrorIn } from '../../integrations/files/stage-error';
import { computeStage } from '../../pipeline/compute-stage';
import { StageResults } from '../../pipeline/results/stage-results';
import { runStage } from '../../pipeline/run-stage';
import { takeScratch } from '../../worker/scratch';
import { type Attack, describeAttacks, requireOneLine } from './attack';

const params = Params.parse({ experiment: 'e', model: 'm', data: { path: 'd.csv', target: 'y' } });
const code = { combined: 'c', stages: { preprocess: 'a', train: 'b', evaluate: 'c' } };

const root = mkdtempSync(path.join(tmpdir(), 'stage-attacks-'));
const store = new ContentStore(path.join(root, 'cache'));
afterAll(() => removeTree(root));

/** A train stage that leaves what `work` does in its out/, run as the worker runs one. */
function train(work: (out: string) => void): () => Promise<unknown> {
  return async () => {
    const dir = mkdtempSync(path.join(root, 'scratch-'));
    const job = {
      work: computeStage('train', params, code),
      inputs: {
        [ARTIFACT.train]: await store.putBytes('rows', ARTIFACT.train),
        [ARTIFACT.schema]: await store.putBytes('{}', ARTIFACT.schema),
      },
      afresh: true,
    };
    const execution = {
      dir,
      run: async (prepare: () => Promise<void>): Promise<number> => {
        await prepare();
        const out = path.join(dir, 'out');
        writeFileSync(path.join(out, ARTIFACT.model), 'a model');
        writeFileSync(path.join(out, 'metrics.json'), '{"trees": 3}');
        work(out);
        return 1;
      },
    };
    const watch = { signal: new AbortController().signal, onProgress: () => undefined };
    try {
      return await runStage(
        { store, results: new StageResults(store, { project: root }) },
        job,
        execution,
        watch,
      );
    } finally {
      // Nothing of it stays, whatever it left.
      expect(existsSync(dir)).toBe(false);
    }
  };
}

/** A file that is as large as it says and takes no room. */
function sparse(file: string, bytes: number): void {
  rmSync(file, { force: true });
  const fd = openSync(file, 'w');
  ftruncateSync(fd, bytes);
  closeSync(fd);
}

/** Folders in folders, longer than any path can be. */
function nest(folder: string, depth: number): void {
  const script = `for (let i = 0; i < ${depth}; i++) { fs.mkdirSync('dd'); process.chdir('dd'); }`;
  execFileSync(process.execPath, ['-e', script], { cwd: folder });
}

const fifo = (file: string): void => {
  rmSync(file, { force: true });
  execFileSync('mkfifo', [file]);
};

const put = (name: string, text: string) => (out: string) => writeFileSync(path.join(out, name), text);

const attack = (
  name: string,
  work: (out: string) => void,
  says: RegExp,
  code: Attack['code'] = 'STAGE_UNSAFE',
): Attack => ({
  name,
  attempt: train(work),
  code,
  says,
});

const stored = (name: string, text: string) => async () => readJson(store, await store.putBytes(text, name));

describeAttacks(
  'a stage that leaves',
  [
    attack(
      '300 MB as training.json',
      (out) => sparse(path.join(out, ARTIFACT.training), 300e6),
      /^train: out\/training\.json has 300000000 bytes, expected at most 8388608; it is not read$/,
    ),
    attack(
      'a model larger than the format',
      (out) => sparse(path.join(out, ARTIFACT.model), 3e9),
      /out\/model\.onnx has 3000000000 bytes/,
    ),
    attack(
      '400 MB of metrics',
      (out) => sparse(path.join(out, 'metrics.json'), 400e6),
      /out\/metrics\.json has 400000000 bytes/,
    ),
    attack(
      'metrics nested half a million deep',
      put('metrics.json', '['.repeat(500_000)),
      /metrics\.json is nested deeper than 64 levels/,
    ),
    attack(
      'metrics that are text',
      put('metrics.json', '{"accuracy": "\u001b[2Jhigh"}'),
      /not a flat mapping/,
      'STAGE_FAILED',
    ),
    attack(
      'metrics that are half a file',
      put('metrics.json', '{"accuracy": 0.'),
      /not a flat mapping/,
      'STAGE_FAILED',
    ),
    attack(
      'no metrics',
      (out) => rmSync(path.join(out, 'metrics.json')),
      /without writing out\/metrics\.json/,
      'STAGE_FAILED',
    ),
    attack(
      'a FIFO as metrics',
      (out) => fifo(path.join(out, 'metrics.json')),
      /metrics\.json is neither a file nor a folder/,
    ),
    attack(
      'a FIFO as its model',
      (out) => fifo(path.join(out, ARTIFACT.model)),
      /out\/model\.onnx is neither a file nor a folder/,
    ),
    attack(
      'a FIFO as training.json',
      (out) => fifo(path.join(out, ARTIFACT.training)),
      /out\/training\.json is neither/,
    ),
    attack(
      'a link to a secret as its model',
      (out) => {
        rmSync(path.join(out, ARTIFACT.model));
        symlinkSync('/etc/passwd', path.join(out, ARTIFACT.model));
      },
      /out\/model\.onnx is a symbolic link/,
    ),
    attack(
      'a link that leads nowhere as training.json',
      (out) => symlinkSync('/nowhere', path.join(out, ARTIFACT.training)),
      /is a symbolic link/,
    ),
    attack(
      'a device as training.json',
      (out) => symlinkSync('/dev/zero', path.join(out, ARTIFACT.training)),
      /is a symbolic link/,
    ),
    attack(
      'a folder as its model',
      (out) => {
        rmSync(path.join(out, ARTIFACT.model));
        mkdirSync(path.join(out, ARTIFACT.model));
      },
      /out\/model\.onnx is a folder/,
    ),
    attack(
      'no model',
      (out) => rmSync(path.join(out, ARTIFACT.model)),
      /expected the output model\.onnx/,
      'STAGE_FAILED',
    ),
    attack(
      '3,000 nested folders, and no metrics',
      (out) => {
        nest(out, 3000);
        rmSync(path.join(out, 'metrics.json'));
      },
      /without writing out\/metrics\.json/,
      'STAGE_FAILED',
    ),
    attack(
      'a folder that nobody may enter, and no metrics',
      (out) => {
        mkdirSync(path.join(out, 'closed', 'a'), { recursive: true });
        execFileSync('chmod', ['000', path.join(out, 'closed')]);
        rmSync(path.join(out, 'metrics.json'));
      },
      /without writing out\/metrics\.json/,
      'STAGE_FAILED',
    ),
    {
      name: '8 MB of brackets that another machine shared as a profile',
      attempt: stored(ARTIFACT.profile, '['.repeat(8e6)),
      code: 'STAGE_UNSAFE',
      says: /profile\.json is nested deeper than 64 levels/,
    },
    {
      name: '9 MB that another machine shared as an evaluation',
      attempt: stored(ARTIFACT.evaluation, `"${'x'.repeat(9e6)}"`),
      code: 'STAGE_UNSAFE',
      says: /evaluation\.json has 9000002 bytes, expected at most 8388608/,
    },
    {
      name: 'an evaluation that is no JSON',
      attempt: stored(ARTIFACT.evaluation, '\u001b]0;owned\u0007'),
      code: 'STAGE_FAILED',
      says: /evaluation\.json is no JSON/,
    },
  ],
  () => expect(train(() => undefined)()).resolves.toMatchObject({ metrics: { trees: 3 } }),
);

describe('a container that leaves', () => {
  const out = mkdtempSync(path.join(tmpdir(), 'container-out-'));
  beforeAll(() => nest(out, 3000));
  afterAll(() => removeTree(out));

  test.each([
    ['3,000 nested folders is refused in words', takeOver],
    ['3,000 nested folders is ended while it is at it', usedBytes],
  ])('%s', async (_name, look) => {
    await expect(look(out, 'train')).rejects.toMatchObject({
      code: 'STAGE_UNSAFE',
      message: 'train nested folders more than 32 deep in out/',
    });
  });
});

describe('an out/error.json', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'error-json-'));
  const file = path.join(dir, 'out', 'error.json');
  beforeAll(() => mkdirSync(path.join(dir, 'out')));
  afterAll(() => removeTree(dir));

  test.each<[string, () => void]>([
    ['that is a FIFO', () => fifo(file)],
    ['of 300 MB', () => sparse(file, 300e6)],
    ['of brackets', () => writeFileSync(file, '['.repeat(60_000))],
    ['that is a link', () => symlinkSync('/etc/passwd', file)],
    ['that is no error', () => writeFileSync(file, '{"code": 1}')],
  ])('%s says nothing, and nobody waits for it', async (_name, make) => {
    rmSync(file, { force: true });
    make();
    expect(await stageErrorIn(dir)).toBeNull();
  });

  test('of a megabyte of lines, with a code that is none of ours, is one bounded line', () => {
    const error = fromStageError({ code: 'OWNED', message: `${'x'.repeat(1e6)}\nsecond` });
    expect(error.code).toBe('STAGE_FAILED');
    requireOneLine(error.message);
  });
});

describe('a scratch folder in which 3,000 nested folders were left', () => {
  const scratch = mkdtempSync(path.join(tmpdir(), 'sweep-'));
  afterAll(() => Promise.all([removeTree(scratch), removeTree(`${scratch}.lock`)]));

  test('is swept, and the worker starts', async () => {
    for (const name of ['deep', 'shallow', 'container-running']) mkdirSync(path.join(scratch, name));
    nest(path.join(scratch, 'deep'), 3000);
    const troubles: unknown[] = [];
    const taken = await takeScratch(scratch, [path.join(scratch, 'container-running')], (...trouble) =>
      troubles.push(trouble),
    );
    expect(readdirSync(scratch).sort()).toEqual(['container-running', path.basename(taken.dir)]);
    expect(troubles).toEqual([]);
    nest(taken.dir, 3000);
    await taken.release();
    expect(existsSync(taken.dir)).toBe(false);
  });
});
