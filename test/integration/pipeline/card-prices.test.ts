import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { readParquet } from '../../../ml/dataset/parquet/read-parquet';
import { dvc, judged } from '../../integrations/dvc/real-dvc';
import { ROOT, sleep, TestProject } from './test-project';

jest.setTimeout(300_000);

const EXAMPLE = path.join(ROOT, 'examples', 'card-prices');

/** 60 days of the service, the day after the last of them. */
const DAYS = 60;
const NOW = '2026-03-02T06:00:00Z';

interface Run {
  data: { metrics: { key: string; value: number }[] };
}

/** The example as a project of its own, by the words that its users type. */
describe('the project of the card prices', () => {
  const project = new TestProject();
  let source: ChildProcess;
  let sourceUrl = '';

  // `make test ARGS=…` hands its variables down to every make below it.
  const environment = (): NodeJS.ProcessEnv => ({
    ...process.env,
    ...{ MAKEFLAGS: undefined, MAKELEVEL: undefined, ARGS: undefined },
    ...project.env,
  });
  const make = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await promisify(execFile)('make', ['--no-print-directory', ...args], {
      cwd: project.dir,
      env: environment(),
    });
    return stdout + stderr;
  };
  const get = async (url: string): Promise<unknown> =>
    (await fetch(`${project.env['MLFLOW_TRACKING_URI'] ?? ''}/api/2.0/mlflow/${url}`)).json();

  beforeAll(async () => {
    cpSync(EXAMPLE, project.dir, {
      recursive: true,
      filter: (file) => !/\/(data|models|prepared|metrics|\.retrain|\.dvc|dvc\.\w+)$/.test(file),
    });
    source = spawn(process.execPath, ['server.mjs', '--days', String(DAYS)], {
      cwd: project.dir,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    [sourceUrl] = (await once(createInterface({ input: source.stdout! }), 'line')) as [string];
    const file = project.path('params.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('http://127.0.0.1:8765', sourceUrl));
    const host = new URL(sourceUrl).host;
    Object.assign(project.env, {
      ...{ RETRAIN: path.join(ROOT, 'bin', 'retrain'), NOW },
      RETRAIN_COLLECT_HOSTS: host,
      RETRAIN_COLLECT_ENV: `CARD_PRICES_API_KEY@${host}`,
    });
    await project.startWorker();
  });
  afterAll(async () => {
    source.kill();
    await project.remove();
  });

  test('make collect fetches what the generator writes, byte for byte, and the second time nothing', async () => {
    await make('collect');
    await promisify(execFile)(process.execPath, [
      project.path('generate.mjs'),
      ...['--days', String(DAYS), '--out', project.path('generated')],
    ]);
    const files = readdirSync(project.path('generated')).sort();
    expect(readdirSync(project.path('data/raw')).sort()).toEqual(files);
    expect(files).toHaveLength(DAYS - 2);
    for (const name of files)
      expect(readFileSync(project.path(`data/raw/${name}`), 'utf8')).toBe(
        readFileSync(project.path(`generated/${name}`), 'utf8'),
      );
    expect(await make('collect')).not.toContain(' new ');
  });

  test('make preprocess train leaves models/baseline with the features and what the model is', async () => {
    await make('preprocess');
    expect(await make('train')).toContain('baseline');
    const folder = project.path('models/baseline');
    const metadata = JSON.parse(readFileSync(path.join(folder, 'model_metadata.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(metadata).toMatchObject({
      model_type: 'moving-average',
      mlflow_run_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      thresholds: { buy: 0.05, sell: -0.05 },
      signal: { from: 'price', buy: 0.05, sell: -0.05 },
    });
    const features = readParquet(path.join(folder, 'features.parquet'));
    expect(features.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['price', 'price_lag_6', 'weekday', 'next_price']),
    );
    expect(existsSync(path.join(folder, 'model.onnx'))).toBe(true);
    // The run was what preprocess had done; and once more it is all known.
    expect(await make('train')).toContain('Nothing changed');
  });

  judged('make dvc-status and dvc-push: dvc itself finds all up to date, and in the remote', async () => {
    expect(dvc(project.dir, 'status')).toContain('up to date');
    expect(await make('dvc-status')).toMatch(/up to date|nothing/i);
    mkdirSync(project.path('remote'));
    dvc(project.dir, 'remote', 'add', '-d', 'local', project.path('remote'));
    await make('dvc-push');
    expect(dvc(project.dir, 'status', '--cloud')).toContain('in sync');
    const lock = readFileSync(project.path('dvc.lock'), 'utf8');
    for (const name of ['data/raw', 'models/baseline/features.parquet', 'prepared/baseline/train.parquet'])
      expect(lock).toContain(`path: ${name}`);
  });

  test('make api answers what the moving average says, and whether to buy', async () => {
    const api = spawn('make', ['api', 'ARGS=--port 0 --poll 0.1'], {
      cwd: project.dir,
      env: environment(),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    for (const stream of [api.stdout, api.stderr])
      stream.on('data', (text: Buffer) => (log += text.toString()));
    try {
      const url = await untilSaid(
        () => / at (http:\/\/[^ ]+) /.exec(log)?.[1],
        api,
        () => log,
      );
      await untilReady(url);
      const row = JSON.parse(readFileSync(project.path('sample_input.json'), 'utf8')) as Record<
        string,
        number
      >;
      const reply = await fetch(`${url}/predict`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(row),
      });
      const lags = ['price', ...[1, 2, 3, 4, 5, 6].map((lag) => `price_lag_${lag}`)].flatMap(
        (name) => row[name] ?? [],
      );
      const mean = lags.reduce((a, b) => a + b, 0) / lags.length;
      expect(await reply.json()).toMatchObject({
        prediction: expect.closeTo(mean, 5) as number,
        decision: 'buy',
        model_name: 'baseline',
      });
    } finally {
      process.kill(-(api.pid ?? 0), 'SIGTERM');
      await once(api, 'close');
    }
  });

  test('boosting is tried on the past beside the moving average, for MLflow and for people', async () => {
    const { result } = await project.start(
      ...['--params', 'boosting.yaml', '--wait', '--set', 'train.n_estimators=40'],
      ...['--set', 'train.learning_rate=0.1', '--set', 'train.backtest={cutoffs: 3, window: 10}'],
    );
    const run = result?.mlflowRunId ?? '';
    const { run: found } = (await get(`runs/get?run_id=${run}`)) as { run: Run };
    const metrics = new Map(found.data.metrics.map(({ key, value }) => [key, value]));
    expect(metrics.get('backtest_mae')).toBeLessThan(metrics.get('backtest_mae_moving_average') ?? 0);
    const { metrics: points } = (await get(
      `metrics/get-history?run_id=${run}&metric_key=backtest_window_mae`,
    )) as { metrics: { step: number; value: number }[] };
    expect(points.map(({ step }) => step).sort()).toEqual([1, 2, 3]);
    const mean = points.reduce((sum, { value }) => sum + value, 0) / 3;
    expect(metrics.get('backtest_mae')).toBeCloseTo(mean, 9);
    const { files } = (await get(`artifacts/list?run_id=${run}`)) as { files: { path: string }[] };
    expect(files.map((file) => file.path)).toEqual(expect.arrayContaining(['backtest.json', 'report.html']));
    expect(JSON.parse(readFileSync(project.path('metrics/card-prices/train.json'), 'utf8'))).toHaveProperty(
      'backtest_mae_moving_average',
    );
  });
});

async function untilSaid(
  find: () => string | undefined,
  child: ChildProcess,
  log: () => string,
): Promise<string> {
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    if (child.exitCode !== null) throw new Error(`it ended: ${log()}`);
    await sleep(20);
  }
}

async function untilReady(url: string): Promise<void> {
  while (!(await fetch(`${url}/ready`)).ok) await sleep(50);
}
