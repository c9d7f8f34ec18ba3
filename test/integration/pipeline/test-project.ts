import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { type TrainingResult } from '../../../contracts/run';
import { readWorkerFile, workerFile } from '../../../integrations/files/worker-file';
import { requireJsonShape } from '../../client/json-shapes';

export const ROOT = path.resolve(__dirname, '..', '..', '..');
const CLI = path.join(ROOT, 'bin', 'retrain');
const WORKER = path.join(ROOT, 'dist', 'worker', 'main.js');

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** What `retrain start --json` prints. */
export interface StartReport {
  how: 'started' | 'attached' | 'finished';
  pipelineKey: string;
  workflowId?: string;
  workflowRunId?: string;
  result?: TrainingResult;
}

type Params = Record<string, unknown>;

const IRIS: Params = {
  data: { path: 'data/iris.csv', target: 'species' },
  train: { n_estimators: 10 },
  gate: { accuracy: 0.9 },
  retry: { initial_interval: '200ms' },
};

/**
 * A user's project in a folder of its own, with iris, a model and a task queue that nobody else uses. The CLI
 * and the workers are the compiled product, run as a user runs them, against the shared servers.
 */
export class TestProject {
  readonly id = randomUUID().slice(0, 8);
  readonly dir = mkdtempSync(path.join(tmpdir(), 'retrain-project-'));
  readonly model = `iris-${this.id}`;
  readonly taskQueue = `queue-${this.id}`;
  readonly env: Record<string, string>;
  private readonly workers = new Set<WorkerProcess>();

  constructor(params: Params = {}, env: Record<string, string> = {}) {
    this.env = {
      TEMPORAL_ADDRESS: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '',
      TEMPORAL_UI_URL: process.env['RETRAIN_TEST_TEMPORAL_UI'] ?? '',
      MLFLOW_TRACKING_URI: process.env['RETRAIN_TEST_MLFLOW_URI'] ?? '',
      RETRAIN_TASK_QUEUE: this.taskQueue,
      LOG_LEVEL: 'info',
      NO_COLOR: '1',
      // Each thread loads the stages' code; most projects here run one stage at a time.
      RETRAIN_THREADS: '1',
      ...env,
    };
    mkdirSync(path.join(this.dir, 'data'));
    copyFileSync(path.join(ROOT, 'data', 'iris.csv'), this.path('data/iris.csv'));
    this.writeParams(params);
  }

  path(relative: string): string {
    return path.join(this.dir, relative);
  }

  /** Writes params.yaml: iris with 10 trees, and what is given, by top-level key. */
  writeParams(params: Params): void {
    const merged = { experiment: this.model, model: this.model, ...IRIS, ...params };
    writeFileSync(this.path('params.yaml'), stringify(merged));
  }

  /** Runs the CLI to its end. */
  async cli(args: string[], env: Record<string, string> = {}): Promise<Finished> {
    const child = spawn(process.execPath, [CLI, ...args], {
      cwd: this.dir,
      env: { ...process.env, ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = await finished(child);
    requireJsonShape(args, ended.stdout);
    return ended;
  }

  /** `retrain start --json` with the given options. */
  async start(...args: string[]): Promise<StartReport & { code: number; stderr: string }> {
    const { code, stdout, stderr } = await this.cli(['start', '--json', ...args]);
    if (stdout.trim() === '') throw new Error(`start printed nothing on stdout, and on stderr: ${stderr}`);
    return { ...(JSON.parse(stdout) as StartReport), code, stderr };
  }

  /** Starts a worker and waits until it polls. */
  async startWorker(env: Record<string, string> = {}, program?: readonly string[]): Promise<WorkerProcess> {
    const worker = new WorkerProcess(this, env, program);
    this.workers.add(worker);
    await worker.ready();
    return worker;
  }

  async remove(): Promise<void> {
    await Promise.all([...this.workers].map((worker) => worker.kill()));
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A worker process, `node dist/worker/main.js`. */
export class WorkerProcess {
  private readonly child: ChildProcess;
  private readonly state: string;
  /** Everything it printed. */
  log = '';

  /** @param program a script and its arguments */
  constructor(project: TestProject, env: Record<string, string>, program: readonly string[] = [WORKER]) {
    this.state = path.resolve(
      project.dir,
      env['RETRAIN_STATE_DIR'] ?? project.env['RETRAIN_STATE_DIR'] ?? '.retrain',
    );
    this.child = spawn(process.execPath, program, {
      cwd: project.dir,
      env: { ...process.env, ...project.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
  }

  async ready(): Promise<void> {
    for (;;) {
      if (this.child.exitCode !== null) throw new Error(`the worker ended: ${this.log}`);
      if (readWorkerFile(workerFile(this.state, this.child.pid ?? 0)) !== null) return;
      await sleep(20);
    }
  }

  /** Waits until it has ended by itself. @returns the signal that ended it, or its exit code */
  async ended(): Promise<NodeJS.Signals | number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    return this.child.signalCode ?? this.child.exitCode;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** As an operator stops it. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    await exited;
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function finished(child: ChildProcess): Promise<Finished> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, stdout, stderr };
}
