import { execFile } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { updatePipelineFile, type PipelineStage } from '../../integrations/dvc/pipeline-file';
import { loadParams } from '../../pipeline/run/load-params';
import { workspaceStages } from '../../pipeline/workspace/workspace-stages';
import { requireJsonShape } from './json-shapes';

const ROOT = path.resolve(__dirname, '..', '..');
export const CLI = path.join(ROOT, 'bin', 'retrain');

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** A user's project in a folder of its own, with iris, and the compiled CLI in its node_modules as npm would put it there. */
export class Workbench {
  constructor(readonly dir = mkdtempSync(path.join(tmpdir(), 'retrain-workbench-'))) {
    mkdirSync(this.path('data'), { recursive: true });
    copyFileSync(path.join(ROOT, 'data', 'iris.csv'), this.path('data/iris.csv'));
    mkdirSync(this.path('node_modules/.bin'), { recursive: true });
    symlinkSync(CLI, this.path('node_modules/.bin/retrain'));
    this.writeParams();
  }

  path(relative: string): string {
    return path.join(this.dir, relative);
  }

  text(relative: string): string {
    return readFileSync(this.path(relative), 'utf8');
  }

  writeParams(train: Record<string, unknown> = {}): void {
    const params = {
      experiment: 'iris',
      model: 'iris',
      data: { path: 'data/iris.csv', target: 'species' },
      train: { n_estimators: 5, ...train },
    };
    writeFileSync(this.path('params.yaml'), stringify(params));
  }

  /** dvc.yaml with our three stages, as a user commits it. */
  async writePipeline(): Promise<void> {
    const params = await loadParams(this.dir, 'params.yaml');
    const present = new Set([
      'data',
      'train',
      ...['expect', 'preprocess', 'evaluate', 'task'].filter((key) =>
        new RegExp(`^${key}:`, 'm').test(this.text('params.yaml')),
      ),
    ]);
    const stages = workspaceStages('params.yaml', params).map(
      ({ name, cmd, inputs, outputs, receipt, metrics, paramKeys }): [string, PipelineStage] => [
        name,
        {
          cmd,
          deps: Object.values(inputs),
          params: paramKeys.filter((key) => present.has(key)),
          outs: [...Object.values(outputs), ...(receipt === null ? [] : [receipt])],
          metrics: [{ [metrics]: { cache: false } }],
        },
      ],
    );
    await updatePipelineFile(this.path('dvc.yaml'), Object.fromEntries(stages));
  }

  /** Runs the CLI to its end. */
  cli(args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
    return new Promise((resolve, reject) => {
      execFile(
        process.execPath,
        [CLI, ...args],
        { cwd: this.dir, env: { ...process.env, NO_COLOR: '1', ...env }, maxBuffer: 16 << 20 },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          try {
            requireJsonShape(args, stdout);
            resolve({ code, stdout, stderr });
          } catch (cause) {
            reject(cause instanceof Error ? cause : new Error(String(cause)));
          }
        },
      );
    });
  }

  /** `--json` parsed; what is wrong is in the failure's message. */
  async json<T>(...args: string[]): Promise<T> {
    const { stdout, stderr } = await this.cli([...args, '--json']);
    if (stdout.trim() === '')
      throw new Error(`retrain ${args.join(' ')} printed nothing, and on stderr: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
