import { chmodSync, lstatSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RetrainError, listed } from '../../contracts/errors';
import type { ObjectStorage } from '../files/object-storage';
import { isDirectoryHash } from './cache-layout';
import { currentMd5 } from './data-status';
import { ignoreRules } from './ignore-rules';
import { placeFiles } from './place-file';
import { pull } from './pull';
import { SafePaths } from './safe-path';
import type { TrackedOut } from './tracked-outs';
import type { TransferOptions } from './transfer';
import { walkFiles } from './walk-files';
import type { Workspace } from './workspace';
import { sameStamp } from './tree-digest';

export interface RestoreOptions extends Pick<TransferOptions, 'signal' | 'onProgress'> {
  /** Overwrite and remove files even if their content is nowhere else. */
  force?: boolean;
  /** Where to fetch from what the cache lacks. */
  remote?: ObjectStorage;
}

export interface RestoreResult {
  /** Files that were written, relative to the root. */
  written: string[];
  /** Files of a restored directory that are not part of it any more. */
  removed: string[];
}

interface Plan extends RestoreResult {
  places: { source: string; dest: string; isExecutable: boolean }[];
  /** Files whose content would be lost. */
  lost: string[];
}

/** What a restore would put back; a model version names its data so, too. */
export type RestoreTarget = Pick<TrackedOut, 'path' | 'md5' | 'sizeBytes'> & { isExecutable?: boolean };

/**
 * Puts back exactly what is recorded, fetching what the cache lacks. All is looked at before anything is written: a file whose
 * content is neither what is recorded nor in the cache is a local change, and stops it.
 *
 * @throws RetrainError `LOCAL_CHANGES` with the files that would be lost; `CONFIG_INVALID` for a path that leaves the workspace;
 *   `ARTIFACT_MISSING`, `ARTIFACT_DAMAGED` and those of `pull`
 */
export async function restoreOuts(
  workspace: Workspace,
  targets: readonly RestoreTarget[],
  options: RestoreOptions = {},
): Promise<RestoreResult> {
  const paths = new SafePaths(workspace.root);
  for (const { path } of targets) paths.resolve(path);
  await fetchMissing(workspace, targets, options);
  const plan: Plan = { places: [], written: [], removed: [], lost: [] };
  for (const target of targets) await addTo(plan, workspace, paths, target, options);
  if (plan.lost.length > 0 && !options.force) {
    throw new RetrainError(
      'LOCAL_CHANGES',
      `${listed(plan.lost)} would be lost: no cache has this content; save them, or repeat with --force`,
    );
  }
  for (const path of plan.removed) rmSync(paths.resolve(path), { force: true });
  await placeFiles(plan.places, workspace.placeMode, {
    ...(options.signal && { signal: options.signal }),
    placed: (index) => {
      const { dest, isExecutable } = plan.places[index]!;
      if (isExecutable) chmodSync(dest, (statSync(dest).mode & 0o777) | 0o111);
    },
  });
  return { written: plan.written, removed: plan.removed };
}

async function fetchMissing(
  workspace: Workspace,
  targets: readonly RestoreTarget[],
  { remote, signal, onProgress }: RestoreOptions,
): Promise<void> {
  const missing: { name: string; md5: string; sizeBytes: number }[] = [];
  for (const { path, md5, sizeBytes } of targets) {
    if (!(await workspace.store.has({ md5, sizeBytes }))) missing.push({ name: path, md5, sizeBytes });
  }
  const [first] = missing;
  if (!first) return;
  if (!remote) throw workspace.store.objects.missing(first);
  await pull(workspace.store, remote, missing, {
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
}

async function addTo(
  plan: Plan,
  workspace: Workspace,
  paths: SafePaths,
  target: RestoreTarget,
  { signal }: RestoreOptions,
): Promise<void> {
  const { store, root } = workspace;
  const wanted = new Map<string, string>();
  if (isDirectoryHash(target.md5)) {
    const entries = await store.manifest({ name: target.path, md5: target.md5 });
    for (const { relpath, md5 } of entries) wanted.set(`${target.path}/${relpath}`, md5);
  } else {
    wanted.set(target.path, target.md5);
  }
  const current = await filesAt(workspace, target.path, signal);
  for (const [path, md5] of current) {
    if (wanted.get(path) === md5) {
      wanted.delete(path);
      continue;
    }
    if (!(await store.objects.stat(md5))) plan.lost.push(path);
    if (!wanted.has(path)) plan.removed.push(path);
  }
  for (const [path, md5] of wanted) {
    plan.written.push(path);
    plan.places.push({
      source: store.pathOf(md5),
      dest: paths.resolve(path),
      isExecutable: target.isExecutable ?? false,
    });
  }
  refuseInTheWay(root, plan);
}

/** MD5 by path of what is in the workspace now, at or below a tracked path. */
async function filesAt(
  workspace: Workspace,
  path: string,
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const each = { ...(signal && { signal }) };
  const absolute = join(workspace.root, path);
  const found = statSync(absolute, { throwIfNoEntry: false });
  if (!found) return files;
  if (!found.isDirectory()) return files.set(path, (await currentMd5(workspace, path, each))!);
  // Hashes all that is not known, in bulk; what is read below is then known, or was written to just now.
  await currentMd5(workspace, path, each);
  const known = workspace.state.filesBelow(absolute);
  for (const file of await walkFiles(absolute, { ignored: ignoreRules(workspace.root, absolute), ...each })) {
    const entry = known.get(file.relpath);
    const md5 =
      entry && sameStamp(entry.stamp, file)
        ? entry.digest.md5
        : await currentMd5(workspace, `${path}/${file.relpath}`, each);
    if (md5 !== null) files.set(`${path}/${file.relpath}`, md5);
  }
  return files;
}

/** A folder where a file is to be, which a rename cannot replace. */
function refuseInTheWay(root: string, plan: Plan): void {
  const folder = plan.written.find((path) =>
    lstatSync(join(root, path), { throwIfNoEntry: false })?.isDirectory(),
  );
  if (folder === undefined) return;
  throw new RetrainError(
    'LOCAL_CHANGES',
    `${folder} is a folder where a file is to be restored; move it away, then repeat the command`,
  );
}
