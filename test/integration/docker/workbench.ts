import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ContainerOptions } from '../../../contracts/container';
import { type StageProgress } from '../../../contracts/stage';
import {
  ContainerExecutor,
  type ContainerResult,
  type ContainerRun,
} from '../../../integrations/docker/container-executor';
import { imageDigest } from '../../../integrations/docker/images';
import { type ContainerOwner, LABEL } from '../../../integrations/docker/stage-container';
import { createEngine } from '../../../integrations/docker/engine';
import { BASE_IMAGE, engine, testSettings } from './engine';

/** An executor with a folder and a scope of its own, and what its stages reported. */
export class Workbench {
  readonly scratchDir = mkdtempSync(path.join(tmpdir(), 'retrain-containers-'));
  readonly scope = `test-${randomUUID()}`;
  readonly progress: StageProgress[] = [];
  readonly lines: string[] = [];
  readonly cancel = new AbortController();
  /** What an abort means; false: this worker only stops looking. */
  cancelled = true;

  executor(env: Record<string, string> = {}, ssh?: string): ContainerExecutor {
    const settings = testSettings(env);
    return new ContainerExecutor({
      engine: createEngine(settings, ssh),
      settings,
      paths: { toEngine: (file) => file },
      scope: this.scope,
      env: { ...process.env, ...env },
    });
  }

  /** Runs a shell script as the stage `train` of its own activity. */
  async run(
    script: string,
    options: Partial<ContainerOptions> = {},
    executor = this.executor(),
    owner: Partial<ContainerOwner> = {},
  ): Promise<ContainerResult & { out: string }> {
    const run = await this.describe(script, options, owner);
    return { ...(await executor.run(run)), out: path.join(run.dir, 'out') };
  }

  async describe(
    script: string,
    options: Partial<ContainerOptions> = {},
    owner: Partial<ContainerOwner> = {},
  ): Promise<ContainerRun> {
    const full: ContainerOwner = {
      workflowId: 'train-test',
      workflowRunId: randomUUID(),
      activityId: '1',
      attempt: 1,
      ...owner,
    };
    const dir = path.join(this.scratchDir, `container-${full.workflowRunId}-${full.activityId}`);
    const image = options.image ?? BASE_IMAGE;
    return {
      stage: 'train',
      dir,
      options: { command: ['sh', '-c', script], ...options, image },
      digest: await imageDigest(engine, image, testSettings()),
      owner: full,
      prepare: async () => {
        rmSync(dir, { recursive: true, force: true });
        mkdirSync(path.join(dir, 'in'), { recursive: true });
        mkdirSync(path.join(dir, 'out'));
        writeFileSync(path.join(dir, 'in', 'data'), 'the input\n');
        writeFileSync(path.join(dir, 'params.json'), '{}');
      },
      signal: this.cancel.signal,
      isCancelled: () => this.cancelled,
      onProgress: (progress) => this.progress.push(progress),
      onLog: (line) => this.lines.push(line),
    };
  }

  /** All containers of this bench that there are. */
  async containers(): Promise<{ id: string; state: string; labels: Record<string, string> }[]> {
    const found = await engine.listContainers({
      all: true,
      filters: { label: [`${LABEL.scope}=${this.scope}`] },
    });
    return found.map(({ Id, State, Labels }) => ({ id: Id, state: State, labels: Labels }));
  }

  /** Waits until the stage has written a line that matches. */
  async untilPrinted(text: string): Promise<void> {
    while (!this.lines.some((line) => line.includes(text))) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Removes everything; fails when a container was left over. */
  async close(): Promise<void> {
    const left = await this.containers();
    await Promise.all(left.map(({ id }) => engine.getContainer(id).remove({ force: true, v: true })));
    rmSync(this.scratchDir, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`left over: ${JSON.stringify(left)}`);
  }
}

export function read(file: string): string {
  return readFileSync(file, 'utf8');
}
