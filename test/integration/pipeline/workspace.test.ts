import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { parse } from 'yaml';
import { dvc, dvcAside, judged } from '../../integrations/dvc/real-dvc';
import { RegistryView } from './registry-view';
import { sleep, TestProject } from './test-project';
import { describeNightly, nightly } from '../../tools/nightly';

jest.setTimeout(240_000);

interface Locked {
  path: string;
  md5: string;
  size: number;
}

function locked(project: {
  path(relative: string): string;
}): Record<string, { deps: Locked[]; outs: Locked[] }> {
  const lock = parse(readFileSync(project.path('dvc.lock'), 'utf8')) as {
    stages: Record<string, { deps: Locked[]; outs: Locked[] }>;
  };
  return lock.stages;
}

function md5Of(file: string): string {
  return createHash('md5').update(readFileSync(file)).digest('hex');
}

describe('the workspace after a run', () => {
  const project = new TestProject();
  beforeAll(async () => {
    await project.startWorker();
    const { code, stderr } = await project.start('--wait');
    expect({ code, stderr }).toMatchObject({ code: 0 });
  });
  afterAll(() => project.remove());

  test('has the model, its metadata and the metrics where people look for them', async () => {
    const registry = new RegistryView(project.model);
    const [run] = await registry.runs();
    await registry.close();
    const metadata = JSON.parse(
      readFileSync(project.path(`models/${project.model}/model_metadata.json`), 'utf8'),
    ) as {
      hashes: Record<string, string>;
    };
    const model = project.path(`models/${project.model}/model.onnx`);
    expect(metadata).toMatchObject({
      model_type: 'random-forest',
      mlflow_run_id: run?.runId,
      metrics: { accuracy: expect.any(Number) as number },
      sizes: { model_bytes: statSync(model).size, train_rows: 120, test_rows: 30 },
    });
    expect(metadata.hashes['model_md5']).toBe(md5Of(model));
    expect(metadata.hashes['data_md5']).toBe(md5Of(project.path('data/iris.csv')));
    const metrics = JSON.parse(readFileSync(project.path('metrics/metrics.json'), 'utf8')) as object;
    expect(metrics).toMatchObject({ accuracy: expect.any(Number) as number, rows_test: 30 });
  });

  judged('is up to date for the real dvc, which has nothing to do there', () => {
    expect(dvc(project.dir, 'status')).toContain('Data and pipelines are up to date');
    const before = readFileSync(project.path('dvc.lock'), 'utf8');
    const said = dvc(project.dir, 'repro');
    for (const stage of ['preprocess', 'train', 'evaluate']) {
      expect(said).toContain(`Stage '${stage}' didn't change, skipping`);
    }
    expect(readFileSync(project.path('dvc.lock'), 'utf8')).toBe(before);
    expect(dvc(project.dir, 'metrics', 'show', '--json')).toContain('accuracy');
  });

  test('is put back in order by the next run, whatever was done to its outputs', async () => {
    const model = project.path(`models/${project.model}/model.onnx`);
    const md5 = md5Of(model);
    rmSync(model);
    writeFileSync(model, 'not a model');
    await project.start('--wait', '--force');
    expect(md5Of(model)).toBe(md5);
  });

  test('reuses what it can: other trees keep the tables, old params keep all', async () => {
    const wider = await project.start('--wait', '--set', 'train.n_estimators=11');
    expect(wider.result?.reused).toEqual(['preprocess']);
    project.writeParams({ gate: { accuracy: 0.8 } });
    const back = await project.start('--wait');
    expect(back.result?.reused).toEqual(expect.arrayContaining(['preprocess', 'train']));
  });

  judged(
    'params changed and changed back: the start that finds its result shows that run again',
    async () => {
      project.writeParams({ gate: { accuracy: 0.8 } });
      expect(await project.start('--wait')).toMatchObject({ code: 0 });
      const first = locked(project)['train'];
      project.writeParams({ gate: { accuracy: 0.8 }, train: { n_estimators: 7 } });
      expect(await project.start('--wait')).toMatchObject({ code: 0 });
      expect(locked(project)['train']).not.toEqual(first);
      project.writeParams({ gate: { accuracy: 0.8 } });
      expect(dvc(project.dir, 'status')).toContain('modified');
      const back = await project.start('--wait');
      expect(back).toMatchObject({ how: 'finished' });
      expect(back.stderr).toContain('The workspace shows this run again');
      expect(locked(project)['train']).toEqual(first);
      expect(dvc(project.dir, 'status')).toContain('Data and pipelines are up to date');
      const once = await project.start('--wait');
      expect(once.stderr).not.toContain('shows this run again');
    },
  );

  test('a damaged result is set aside and made again', async () => {
    const [entry] = locked(project)['train']?.outs.filter((out) => out.path.endsWith('model.onnx')) ?? [];
    const object = project.path(`.dvc/cache/files/md5/${entry?.md5.slice(0, 2)}/${entry?.md5.slice(2)}`);
    const bytes = readFileSync(object);
    rmSync(object);
    writeFileSync(object, Buffer.from(bytes).fill(0, 10, 20));
    project.writeParams({ gate: { accuracy: 0.7 } });
    const { result } = await project.start('--wait');
    expect(result?.reused).not.toContain('train');
    expect(Buffer.compare(readFileSync(object), bytes)).toBe(0);
  });

  nightly('that cannot be written to fails no run', async () => {
    const models = project.path('models');
    renameSync(models, project.path('kept'));
    writeFileSync(models, 'a file where the folder was');
    const { code, result } = await project.start('--wait', '--set', 'train.seed=5');
    // Another seed may or may not be better: the run is done either way.
    expect({ code, outcome: result?.outcome }).toEqual({
      code: 0,
      outcome: expect.stringMatching(/^(promoted|staged)$/) as string,
    });
    rmSync(models);
    renameSync(project.path('kept'), models);
    await project.start('--wait', '--force');
  });

  judged('that dvc pulled elsewhere is reused there without running', async () => {
    const other = new TestProject();
    try {
      for (const name of ['params.yaml', 'dvc.yaml', 'dvc.lock', '.dvc/config', '.dvcignore', 'metrics']) {
        cpSync(project.path(name), other.path(name), { recursive: true });
      }
      dvc(project.dir, 'remote', 'add', '-d', '-f', 'shared', other.path('remote'));
      dvc(project.dir, 'push', '--quiet');
      cpSync(project.path('.dvc/config'), other.path('.dvc/config'));
      dvc(other.dir, 'pull', '--quiet');
      expect(existsSync(other.path('.dvc/cache/retrain'))).toBe(false);
      await other.startWorker();
      const { result } = await other.start(
        '--wait',
        '--set',
        `model=${project.model}`,
        '--set',
        'experiment=elsewhere',
      );
      expect(result?.reused).toEqual(['preprocess', 'train']);
    } finally {
      await other.remove();
    }
  });
});

describeNightly('machines that share results', () => {
  const shared = mkdtempSync(path.join(tmpdir(), 'retrain-shared-'));
  const machines = [1, 2].map(() => new TestProject({}, { RETRAIN_SHARED_CACHE: 'team' }));
  afterAll(async () => {
    await Promise.all(machines.map((machine) => machine.remove()));
    rmSync(shared, { recursive: true, force: true });
  });

  test('train once, and a place that is away stops nobody', async () => {
    const [first, second] = machines as [TestProject, TestProject];
    for (const machine of machines) {
      mkdirSync(machine.path('.dvc'));
      writeFileSync(machine.path('.dvc/config'), `['remote "team"']\n    url = ${shared}\n`);
      await machine.startWorker();
    }
    const made = await first.start('--wait', '--set', 'model=m', '--set', `experiment=${first.model}`);
    expect(made.result?.reused).toEqual([]);
    const taken = await second.start('--wait', '--set', 'model=m', '--set', `experiment=${second.model}`);
    expect(taken.result?.reused).toEqual(expect.arrayContaining(['preprocess', 'train']));
    rmSync(shared, { recursive: true });
    writeFileSync(shared, 'a file where the folder was');
    const alone = await second.start('--wait', '--set', 'train.seed=7', '--set', 'preprocess.seed=7');
    expect(alone.result?.reused).toEqual([]);
  });
});

describeNightly('two runs and dvc at the same time', () => {
  const project = new TestProject();
  afterAll(() => project.remove());

  judged('leave a lock that has all of them', async () => {
    writeFileSync(
      project.path('dvc.yaml'),
      '# ours\nstages:\n  slow: # takes a while\n    cmd: sleep 3 && echo done > slow.txt\n    outs:\n    - slow.txt\n',
    );
    mkdirSync(project.path('.dvc'));
    writeFileSync(project.path('.dvc/config'), '[core]\n    no_scm = True\n');
    await project.startWorker();
    const seeds = ['1', '2'].map((seed) => project.start('--wait', '--set', `train.seed=${seed}`));
    const [repro, ...runs] = await Promise.all([dvcAside(project.dir, 'repro', 'slow'), ...seeds]);
    expect(repro).toContain("Running stage 'slow'");
    expect(runs.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
      { code: 0, stderr: '' },
      { code: 0, stderr: '' },
    ]);
    expect(Object.keys(locked(project)).sort()).toEqual(['evaluate', 'preprocess', 'slow', 'train']);
    expect(readFileSync(project.path('dvc.yaml'), 'utf8')).toMatch(/^# ours\n(.|\n)*# takes a while\n/);
    expect(md5Of(project.path(`models/${project.model}/model.onnx`))).toBe(
      locked(project)['train']?.outs.find((out) => out.path.endsWith('model.onnx'))?.md5,
    );
    expect(dvc(project.dir, 'status', 'slow', 'evaluate')).toContain('up to date');
  });
});

describeNightly('a file that is edited in mid-run', () => {
  const project = new TestProject({ train: { engine: 'ml-random-forest', n_estimators: 1500 } });
  const registry = new RegistryView(project.model);
  afterAll(async () => {
    await registry.close();
    await project.remove();
  });

  test('changes nothing: lock and tags name the bytes that were trained on', async () => {
    const data = project.path('data/iris.csv');
    const trainedOn = md5Of(data);
    await project.startWorker();
    await project.start();
    await until(() => isTraining(project.path('.retrain/scratch')));
    appendFileSync(data, '5.0,3.4,1.5,0.2,setosa\n');
    await until(async () => (await registry.runs())[0]?.status === 'FINISHED');
    const [run] = await registry.runs();
    expect(run?.tags['data_md5']).toBe(trainedOn);
    expect(locked(project)['preprocess']?.deps).toMatchObject([{ path: 'data/iris.csv', md5: trainedOn }]);
  });
});

/** Whether a stage is at work on the prepared rows. */
function isTraining(scratch: string): boolean {
  if (!existsSync(scratch)) return false;
  return readdirSync(scratch)
    .flatMap((worker) =>
      readdirSync(path.join(scratch, worker)).map((name) => path.join(scratch, worker, name)),
    )
    .some((dir) => existsSync(path.join(dir, 'in', 'train.parquet')));
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}
