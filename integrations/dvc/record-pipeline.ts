import { join } from 'node:path';
import type { LockOptions } from '../files/file-lock';
import { updateLockFile, type LockedStage } from './lock-file';
import { lockEntry, type OutContent } from './out-entry';
import { updatePipelineFile, type PipelineStage } from './pipeline-file';
import { ignoreInGit, type Workspace } from './workspace';
import { withWorkspaceLock } from './workspace-lock';

/** A file or directory that a stage read or wrote, below the root of the workspace. */
export interface RecordedPath {
  path: string;
  content: OutContent;
}

/** The params file that DVC knows by default. */
const PARAMS_FILE = 'params.yaml';

/** A stage that ran, or whose result was reused. */
export interface RecordedStage {
  name: string;
  /** Does the same when `dvc repro` runs it: `npx --no retrain stage train`. */
  cmd: string;
  deps: readonly RecordedPath[];
  /** Of the params file: top-level or dotted key → value, as it stands in the file. */
  params: Readonly<Record<string, unknown>>;
  /** Default: params.yaml. */
  paramsFile?: string;
  /** `git`: small, and committed with the code, so not in the cache. */
  outs: readonly (RecordedPath & { kind: 'out' | 'metric'; keptIn: 'cache' | 'git' })[];
}

/**
 * Enters stages into `dvc.yaml` and `dvc.lock` at the root of the workspace, so that `dvc status` finds them up to date and
 * `dvc repro` has nothing to do; outs in the cache are kept from git. One holder of the workspace lock at a time.
 *
 * @throws RetrainError `WORKSPACE_BUSY`, `CONFIG_INVALID` when a file there is not as DVC writes it
 */
export async function recordPipeline(
  workspace: Workspace,
  stages: readonly RecordedStage[],
  options: LockOptions = {},
): Promise<void> {
  const { root, dvcDir, config } = workspace;
  await withWorkspaceLock(dvcDir, { ...options, hardlink: config.hardlinkLock }, async () => {
    await updatePipelineFile(
      join(root, 'dvc.yaml'),
      Object.fromEntries(stages.map((s) => [s.name, pipelineStage(s)])),
    );
    await updateLockFile(
      join(root, 'dvc.lock'),
      Object.fromEntries(stages.map((s) => [s.name, lockedStage(s)])),
    );
    for (const { outs } of stages) {
      for (const { path, keptIn } of outs) if (keptIn === 'cache') await ignoreInGit(join(root, path));
    }
  });
}

function pipelineStage({ cmd, deps, params, paramsFile = PARAMS_FILE, outs }: RecordedStage): PipelineStage {
  const listed = (kind: 'out' | 'metric') =>
    outs
      .filter((out) => out.kind === kind)
      .map(({ path, keptIn }) => (keptIn === 'git' ? { [path]: { cache: false } } : path));
  const keys = Object.keys(params);
  return {
    cmd,
    ...(deps.length > 0 && { deps: deps.map(({ path }) => path) }),
    ...(keys.length > 0 && { params: paramsFile === PARAMS_FILE ? keys : [{ [paramsFile]: keys }] }),
    ...(listed('out').length > 0 && { outs: listed('out') }),
    ...(listed('metric').length > 0 && { metrics: listed('metric') }),
  };
}

function lockedStage({ cmd, deps, params, paramsFile = PARAMS_FILE, outs }: RecordedStage): LockedStage {
  return {
    cmd,
    deps: deps.map(({ path, content }) => lockEntry(path, content)),
    params: Object.keys(params).length > 0 ? { [paramsFile]: { ...params } } : {},
    outs: outs.map(({ path, content }) => lockEntry(path, content)),
  };
}
