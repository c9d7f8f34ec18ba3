import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { type ContainerOptions } from '../../contracts/container';
import { isAlive } from '../../integrations/files/process-alive';
import { makeStateFolder } from '../../integrations/files/state-folder';
import { type StageExecution } from '../../pipeline/run-stage';
import { type ClientConfig } from '../config';
import { screen } from '../terminal/screen';
import { runStageProcess } from './stage-process';

/** Where a stage of the command line runs; without a container, in a process of its own. */
export interface Placement {
  container?: { options: ContainerOptions; digest: string };
}

/** Runs one stage in a working folder of this command. What commands that were killed left there goes first. */
export async function stageExecution(
  { state, env, stageCodeFile }: ClientConfig,
  stage: string,
  { container }: Placement,
): Promise<StageExecution> {
  makeStateFolder(state);
  const scratchDir = path.join(state, 'stages');
  await sweepDead(scratchDir);
  const dir = path.join(scratchDir, `${stage}-${process.pid}-${randomBytes(4).toString('hex')}`);
  return {
    dir,
    async run(prepare, { signal, onProgress }) {
      if (container === undefined) {
        await prepare();
        const entry = path.join(path.dirname(stageCodeFile), 'stages', 'main.js');
        return runStageProcess({ entry, stage, dir, env, signal, onProgress });
      }
      // The engine's client is loaded for container stages only.
      const { runStageContainer } = await import('./stage-container.js');
      const { options, digest } = container;
      return runStageContainer({
        stage,
        dir,
        options,
        digest,
        scratchDir,
        env,
        prepare,
        signal,
        onProgress,
        onLog: (line) => screen.err(line),
      });
    },
  };
}

/** Removes working folders of processes that are gone. */
async function sweepDead(scratchDir: string): Promise<void> {
  await mkdir(scratchDir, { recursive: true });
  for (const name of await readdir(scratchDir)) {
    const pid = Number(/-(\d+)-[0-9a-f]{8}$/.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) await rm(path.join(scratchDir, name), { recursive: true, force: true });
  }
}
