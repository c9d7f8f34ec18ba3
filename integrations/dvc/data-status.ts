import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { FileDigest } from '../../ml/hashing/digest';
import { digestFile } from '../../ml/hashing/digest-file';
import { isDirectoryHash } from './cache-layout';
import { ignoreRules } from './ignore-rules';
import type { TrackedOut } from './tracked-outs';
import { digestTree, isSettled } from './tree-digest';
import type { Workspace } from './workspace';

export interface OutStatus extends TrackedOut {
  /** Of the project’s copy against what is recorded. */
  state: 'unchanged' | 'modified' | 'deleted';
  /** Whether the cache has what is recorded, all files of a directory. */
  inCache: boolean;
}

/**
 * How the project’s files stand against what is recorded. Files that did not change since they were last hashed cost a
 * stat call.
 */
export async function dataStatus(
  workspace: Workspace,
  outs: readonly TrackedOut[],
  options: { signal?: AbortSignal } = {},
): Promise<OutStatus[]> {
  const statuses: OutStatus[] = [];
  for (const out of outs) {
    const md5 = await currentMd5(workspace, out.path, options);
    const state = md5 === null ? 'deleted' : md5 === out.md5 ? 'unchanged' : 'modified';
    statuses.push({ ...out, state, inCache: await workspace.store.lists(out) });
  }
  return statuses;
}

/** Hashes of a file or directory of the project as it is now; null when nothing is there. */
export async function currentDigest(
  workspace: Workspace,
  relpath: string,
  options: { signal?: AbortSignal } = {},
): Promise<FileDigest | null> {
  const path = join(workspace.root, relpath);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return null;
  if (found.isDirectory()) {
    const ignored = ignoreRules(workspace.root, path);
    return digestTree(path, { state: workspace.state, ignored, ...options });
  }
  const stamp = { sizeBytes: found.size, mtimeMs: found.mtimeMs, ino: found.ino };
  const known = workspace.state.file(path, stamp);
  if (known) return known;
  const readAt = Date.now();
  const digest = await digestFile(path, options);
  if (isSettled(stamp, readAt)) workspace.state.saveFiles([{ path, stamp, digest }]);
  return digest;
}

/** DVC’s hash of `currentDigest`. */
export async function currentMd5(
  workspace: Workspace,
  relpath: string,
  options: { signal?: AbortSignal } = {},
): Promise<string | null> {
  return (await currentDigest(workspace, relpath, options))?.md5 ?? null;
}

/** One line for people: `modified  data (data.dvc)`. */
export function describeStatus({ path, state, inCache, recordedIn, md5 }: OutStatus): string {
  const kind = isDirectoryHash(md5) ? '/' : '';
  return `${state.padEnd(9)}  ${path}${kind} (${recordedIn})${inCache ? '' : ', not in the cache'}`;
}
