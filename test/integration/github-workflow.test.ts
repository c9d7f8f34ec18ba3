import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { freePort } from '../../client/stack/ports';
import { ROOT } from './pipeline/test-project';
import { nightly } from '../tools/nightly';

jest.setTimeout(600_000);

interface Step {
  name?: string;
  uses?: string;
  run?: string;
  if?: string;
  env?: Record<string, string>;
}

interface WorkflowFile {
  env: Record<string, string>;
  jobs: { train: { steps: Step[] } };
}

interface Job {
  /** Exit code of each step that ran, by its name. */
  codes: Record<string, number | null>;
  /** Name of the first step that failed; null when the job passed. */
  failedAt: string | null;
  output: string;
  summary: string;
}

const workflow = parse(
  readFileSync(path.join(ROOT, '.github/workflows/train_and_validate.yml'), 'utf8'),
) as WorkflowFile;

/** Everything but what a checkout has not: packages and build are put in place as a cache would. */
const NOT_COPIED = new Set(['.git', '.retrain', '.dvc', 'node_modules', 'coverage']);

describe('.github/workflows/train_and_validate.yml', () => {
  const checkout = mkdtempSync(path.join(tmpdir(), 'retrain-checkout-'));
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    cpSync(ROOT, checkout, {
      recursive: true,
      preserveTimestamps: true,
      filter: (source) => !NOT_COPIED.has(path.relative(ROOT, source)),
    });
    // Hard links: half a gigabyte in a second, and an `npm ci` in the copy does not touch the original.
    const linked = spawnSync('cp', ['-al', path.join(ROOT, 'node_modules'), checkout]);
    if (linked.status !== 0) spawnSync('cp', ['-a', path.join(ROOT, 'node_modules'), checkout]);
    env = {
      ...process.env,
      ...{ TEMPORAL_ADDRESS: '', TEMPORAL_UI_URL: '', MLFLOW_TRACKING_URI: '', CI: 'true' },
      RETRAIN_TEMPORAL_PORT: String(await freePort()),
      RETRAIN_TEMPORAL_UI_PORT: String(await freePort()),
      RETRAIN_MLFLOW_PORT: String(await freePort()),
      RETRAIN_API_PORT: String(await freePort()),
      GITHUB_STEP_SUMMARY: path.join(checkout, 'summary.md'),
    };
  });

  afterAll(() => {
    spawnSync('bin/retrain', ['down'], { cwd: checkout, env });
    rmSync(checkout, { recursive: true, force: true });
  });

  /** Runs the steps as the runner does: `bash -e`, in order; after a failure only those that ask for it. */
  function runJob(inputs: Record<string, string> = {}, servers: Record<string, string> = {}): Job {
    rmSync(path.join(checkout, 'summary.md'), { force: true });
    const job: Job = { codes: {}, failedAt: null, output: '', summary: '' };
    for (const step of workflow.jobs.train.steps) {
      if (step.run === undefined || !isDue(step, job)) continue;
      const name = step.name ?? step.run;
      const script = path.join(checkout, 'step.sh');
      writeFileSync(script, step.run);
      const { status, stdout, stderr } = spawnSync('bash', ['-e', script], {
        cwd: checkout,
        env: { ...env, ...servers, ...resolved(workflow.env, inputs), ...resolved(step.env ?? {}, inputs) },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      job.codes[name] = status;
      job.output += `--- ${name}\n${stdout}${stderr}`;
      if (status !== 0) job.failedAt ??= name;
    }
    const summary = path.join(checkout, 'summary.md');
    if (existsSync(summary)) job.summary = readFileSync(summary, 'utf8');
    return job;
  }

  it('trains, validates, and puts the table of metrics into the job summary', () => {
    const job = runJob();
    expect(job.failedAt === null ? 'passed' : job.output).toBe('passed');
    expect(job.codes).toEqual({
      ...{ 'Set up': 0, 'Bring up the stack': 0, Train: 0, Validate: 0, 'Take down the stack': 0 },
    });
    expect(job.summary).toMatch(/\|.*accuracy.*\|/);
    expect(job.summary).toMatch(/accuracy [01]\.\d{4} ≥ 0\.9 passed/);
    expect(existsSync(path.join(checkout, '.retrain/stack.json'))).toBe(false);
  });

  /** Servers that are up already: the job brings up and takes down its worker only. */
  const shared = (): Record<string, string> => ({
    TEMPORAL_ADDRESS: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '',
    MLFLOW_TRACKING_URI: process.env['RETRAIN_TEST_MLFLOW_URI'] ?? '',
    RETRAIN_TASK_QUEUE: `job-${randomUUID()}`,
  });

  /** A tree of one cut cannot tell three kinds of iris apart; a model that nobody else has on those servers. */
  function withOneCut<T>(gate: string, act: () => T): T {
    const params = path.join(checkout, 'params.yaml');
    const text = readFileSync(params, 'utf8');
    const poor = text
      .replace(/^ {2}n_estimators: \d+$/m, '  n_estimators: 1\n  max_depth: 1')
      .replace(/^model: .*$/m, `model: job-${randomUUID()}`)
      .replace(/^ {2}accuracy: 0\.90$/m, `  accuracy: ${gate}`);
    expect(poor).toMatch(/n_estimators: 1\n {2}max_depth: 1\n/);
    writeFileSync(params, poor);
    try {
      return act();
    } finally {
      writeFileSync(params, text);
    }
  }

  nightly(
    'fails with exit code 3 when the model is not as good as the job demands, and takes the stack down',
    () => {
      const job = withOneCut('0.5', () => runJob({ min_accuracy: '0.9' }, shared()));
      expect(job.codes).toMatchObject({ Train: 0, Validate: 3, 'Take down the stack': 0 });
      expect(job.failedAt).toBe('Validate');
      expect(job.summary).toMatch(/accuracy 0\.\d{4} ≥ 0\.9 \*\*failed\*\*/);
      expect(existsSync(path.join(checkout, '.retrain/stack.json'))).toBe(false);
    },
  );

  nightly('fails when the run fails its own quality gate, and still shows the metrics', () => {
    const job = withOneCut('0.99', () => runJob({ min_accuracy: '0.1' }, shared()));
    expect(job.codes).toMatchObject({ Train: 0, Validate: 3, 'Take down the stack': 0 });
    expect(job.failedAt).toBe('Validate');
    expect(job.summary).toMatch(/\|.*accuracy.*\|/);
  });
});

function isDue(step: Step, job: Job): boolean {
  if (step.if === 'always()') return true;
  if (step.if === 'failure()') return job.failedAt !== null;
  return job.failedAt === null;
}

/** The one expression that the file has: an input with a default. */
function resolved(env: Record<string, string>, inputs: Record<string, string>): Record<string, string> {
  const expression = /\$\{\{ inputs\.(\w+) \|\| '([^']*)' \}\}/g;
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      String(value).replace(expression, (_, input: string, otherwise: string) => inputs[input] ?? otherwise),
    ]),
  );
}
