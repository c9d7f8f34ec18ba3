import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { digestFile } from '../../ml/hashing/digest-file';
import { isDirectoryHash } from '../../integrations/dvc/cache-layout';
import { restoreOuts, type RestoreResult, type RestoreTarget } from '../../integrations/dvc/restore';
import { sizesOnRemote } from '../../integrations/dvc/transfer';
import { withPathLocks } from '../../integrations/dvc/workspace-lock';
import { type Workspace } from '../../integrations/dvc/workspace';
import { fileAtCommit } from '../../integrations/git/git-content';
import { type ObjectStorage } from '../../integrations/files/object-storage';
import { paint, screen } from '../terminal/screen';
import { transferLine } from '../terminal/transfer-line';

export interface RestoreRequest {
  /** For others that wait: `retrain restore`. */
  holder: string;
  /** Overwrite and remove files even if their content is nowhere else. */
  force: boolean;
  remote: ObjectStorage | null;
  /** Whether progress is shown. */
  quiet: boolean;
  signal: AbortSignal;
}

/**
 * Puts files back in the workspace while no `dvc repro` works on them; see `restore`.
 *
 * @throws RetrainError LOCAL_CHANGES, WORKSPACE_BUSY, ARTIFACT_MISSING and those of `restore`
 */
export async function restoreData(
  workspace: Workspace,
  targets: readonly RestoreTarget[],
  { holder, force, remote, quiet, signal }: RestoreRequest,
): Promise<RestoreResult> {
  const line = quiet ? null : transferLine(screen, 'fetching');
  const write = targets.map((target) => path.join(workspace.root, target.path));
  const options = {
    signal,
    hardlink: workspace.config.hardlinkLock,
    onWait: (who: string): void => screen.err(paint.dim(`waiting for ${who}, which uses these files`)),
  };
  try {
    return await withPathLocks(workspace.dvcDir, { read: [], write }, holder, options, () =>
      restoreOuts(workspace, targets, {
        force,
        signal,
        onProgress: (progress) => line?.show(progress),
        ...(remote === null ? {} : { remote }),
      }),
    );
  } finally {
    line?.end();
  }
}

/**
 * Stores those files whose content at a commit is what is wanted: data that is small enough for git is in no
 * cache.
 */
export async function storeFromGit(
  { root, store }: Workspace,
  targets: readonly RestoreTarget[],
  commit: string,
): Promise<void> {
  for (const { path: file, md5, sizeBytes } of targets) {
    if (isDirectoryHash(md5) || (await store.has({ md5, sizeBytes }))) continue;
    const staged = await store.objects.staging.newPath();
    try {
      if (!(await fileAtCommit(root, commit, file, staged))) continue;
      const found = await digestFile(staged);
      if (found.md5 === md5) await store.objects.settle(staged, md5, found.sizeBytes);
    } finally {
      await rm(staged, { force: true });
    }
  }
}

/** Whether each is in the cache, or else on the remote: those that are, and those that are nowhere. */
export async function whereabouts(
  { store }: Workspace,
  targets: readonly RestoreTarget[],
  remote: ObjectStorage | null,
): Promise<{ found: RestoreTarget[]; nowhere: RestoreTarget[] }> {
  const cached = await Promise.all(targets.map((target) => store.has(target)));
  const missing = targets.filter((_, index) => !cached[index]);
  const there =
    remote === null || missing.length === 0
      ? new Map<string, number>()
      : await sizesOnRemote(
          remote,
          missing.map(({ md5 }) => md5),
        );
  const isFound = (target: RestoreTarget): boolean => !missing.includes(target) || there.has(target.md5);
  return { found: targets.filter(isFound), nowhere: targets.filter((target) => !isFound(target)) };
}

/** Files that are not in the workspace at all. */
export function absent({ root }: Workspace, targets: readonly RestoreTarget[]): RestoreTarget[] {
  return targets.filter((target) => !existsSync(path.join(root, target.path)));
}
