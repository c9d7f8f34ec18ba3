import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dvc, dvcAside, dvcInit, judged } from '../integrations/dvc/real-dvc';
import { Workbench } from './workbench';

jest.setTimeout(120_000);

const top = mkdtempSync(path.join(tmpdir(), 'retrain-data-'));
const first = new Workbench(path.join(top, 'first'));
afterAll(() => rmSync(top, { recursive: true, force: true }));

/** What git would bring to another machine: neither data nor cache. */
function cloned(name: string): Workbench {
  const clone = new Workbench(path.join(top, name));
  for (const file of ['params.yaml', 'dvc.yaml', 'dvc.lock', '.dvc/config', 'metrics'])
    cpSync(first.path(file), clone.path(file), { recursive: true });
  rmSync(clone.path('data'), { recursive: true });
  mkdirSync(clone.path('data'));
  return clone;
}

const MODEL = 'models/iris/model.onnx';

judged('what one machine trained and pushed, another pulls and reuses; and dvc pulls the same', async () => {
  dvcInit(first.dir);
  dvc(first.dir, 'remote', 'add', '--default', 'store', path.join(top, 'remote'));
  await first.writePipeline();
  await dvcAside(first.dir, 'repro');
  expect((await first.cli(['data', 'status'])).stdout).toContain(
    'Data and pipelines are up to date (11 tracked',
  );

  const pushed = await first.cli(['data', 'push']);
  expect(pushed).toMatchObject({ code: 0, stderr: '' });
  // Eleven outs and the training data.
  expect(pushed.stdout).toMatch(
    /^Pushed 12 objects, [\d.]+ kB, to .*remote; 0 were there; results of 3 stages go along\.$/m,
  );
  expect(await first.json('data', 'push')).toMatchObject({ moved: 0, present: 12, stages: 3 });
  expect(await dvcAside(first.dir, 'status', '--cloud')).toContain('are in sync');

  const second = cloned('second');
  const pulled = await second.json<{ written: string[]; stages: number }>('data', 'pull');
  expect(pulled).toMatchObject({ removed: [], missing: [], stages: 3 });
  expect(pulled.written).toContain('data/iris.csv');
  expect(readFileSync(second.path(MODEL))).toEqual(readFileSync(first.path(MODEL)));
  for (const stage of ['preprocess', 'train', 'evaluate'])
    expect(await second.json('stage', stage)).toMatchObject({ reused: true });
  expect((await second.cli(['data', 'status'])).stdout).toContain('up to date');

  const third = cloned('third');
  await dvcAside(third.dir, 'pull');
  expect(readFileSync(third.path(MODEL))).toEqual(readFileSync(first.path(MODEL)));
  expect(existsSync(third.path('data/iris.csv'))).toBe(false);
});

judged('the status names what differs as dvc does: outs, data, params', async () => {
  appendFileSync(first.path('data/iris.csv'), '5.0,3.4,1.5,0.2,setosa\n');
  appendFileSync(first.path(MODEL), '!');
  rmSync(first.path('prepared/iris/test.parquet'));
  first.writeParams({ n_estimators: 6 });
  const { stdout } = await first.cli(['data', 'status']);
  expect(stdout).toContain(`modified   ${MODEL} (dvc.lock: train)`);
  expect(stdout).toContain('deleted    prepared/iris/test.parquet (dvc.lock: preprocess)');
  expect(stdout).toContain('preprocess: modified data/iris.csv');
  expect(stdout).toContain('train: changed params.yaml: train');
  const judge = await dvcAside(first.dir, 'status');
  expect(judge).toMatch(/modified: +data\/iris.csv/);
  expect(judge).toMatch(/deleted: +prepared\/iris\/test.parquet/);
});

judged('a pull does not overwrite what would be lost', async () => {
  const refused = await first.cli(['data', 'pull', 'train']);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/^error: models\/iris\/model\.onnx would be lost/);
  expect((await first.cli(['data', 'pull', 'train', '--force'])).code).toBe(0);
  expect((await first.cli(['data', 'status', 'train'])).stdout).toContain('up to date');
});

judged('restore puts back the data of dvc.lock, all of it, and loses nothing without --force', async () => {
  const params = first.text('params.yaml');
  const edited = first.text('data/iris.csv');
  const refused = await first.cli(['restore', '--json']);
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stdout)).toMatchObject({
    error: {
      code: 'LOCAL_CHANGES',
      message: expect.stringMatching(/^data\/iris\.csv would be lost/) as string,
    },
  });
  expect(existsSync(first.path('prepared/iris/test.parquet'))).toBe(false);
  const forced = await first.cli(['restore', '--force']);
  expect(forced.stdout).toMatch(
    /Restored dvc.lock and .dvc files:\n {2}prepared\/iris\/test.parquet\n {2}data\/iris.csv/,
  );
  expect(first.text('data/iris.csv')).not.toBe(edited);
  expect(first.text('params.yaml')).toBe(params);
  first.writeParams();
  expect(await dvcAside(first.dir, 'status')).toContain('up to date');
  // From the remote, when the cache is lost.
  rmSync(first.path('.dvc/cache'), { recursive: true });
  rmSync(first.path('models'), { recursive: true });
  expect((await first.cli(['restore'])).stdout).toContain(MODEL);
  expect((await first.cli(['restore'])).stdout).toContain('Nothing to do');
});

judged('restore says what is nowhere, before anything is written', async () => {
  const fourth = cloned('fourth');
  rmSync(fourth.path('.dvc/config'));
  appendFileSync(fourth.path('.dvc/config'), '[core]\n    no_scm = True\n');
  const { code, stderr } = await fourth.cli(['restore']);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /models\/iris\/model\.onnx \(md5 \w{32}\).* cannot be restored: not in the cache, and no remote/,
  );
});

test('without a workspace, a remote or such a target, the next step is said', async () => {
  const bare = new Workbench(path.join(top, 'bare'));
  expect((await bare.cli(['data', 'status'])).stderr).toMatch(/is in no DVC workspace.*`dvc init`/);
  mkdirSync(bare.path('.dvc'));
  appendFileSync(bare.path('.dvc/config'), '');
  expect(await bare.cli(['data', 'push'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/no default remote \(none is configured\)/) as string,
  });
  expect((await bare.cli(['data', 'status', 'nothing'])).stderr).toContain('nothing is not tracked');
});
