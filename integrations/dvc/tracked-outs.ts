import { readdirSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { readDvcFile } from './dvc-file';
import { ignoreRules } from './ignore-rules';
import { readLockFile } from './lock-file';
import { readPipelineFile } from './pipeline-file';
import { isUsable, type OutEntry } from './out-entry';

/** A file or directory whose content a `.dvc` file or a `dvc.lock` records. */
export interface TrackedOut {
  /** Below the root of the workspace, with `/`. */
  path: string;
  md5: string;
  sizeBytes: number;
  isExecutable: boolean;
  /** `data.dvc`, or `dvc.lock: train`. */
  recordedIn: string;
}

/**
 * Everything that a workspace tracks, found as DVC finds it: in all its folders but the ignored ones and those that are
 * tracked themselves. Entries of DVC 2, outs without a hash, and those that git keeps (`cache: false`) are left out.
 *
 * @param root of the workspace, absolute
 * @throws RetrainError `CONFIG_INVALID`
 */
export async function trackedOuts(root: string): Promise<TrackedOut[]> {
  const found = new Map<string, TrackedOut>();
  const ignored = ignoreRules(root, root);
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = readdirSync(folder, { withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile() || (!entry.name.endsWith('.dvc') && entry.name !== 'dvc.lock')) continue;
      for (const out of await outsOf(root, join(folder, entry.name))) {
        // An out of a stage is also a .dvc file’s only by mistake; the stage made it last.
        if (!found.has(out.path) || out.recordedIn.includes('dvc.lock')) found.set(out.path, out);
      }
    }
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (!entry.isDirectory() || entry.name === 'node_modules' || found.has(below(root, path))) continue;
      if (!ignored(below(root, path), true)) folders.push(path);
    }
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function outsOf(root: string, file: string): Promise<TrackedOut[]> {
  const where = below(root, file);
  if (file.endsWith('dvc.lock')) {
    const pipeline = await readPipelineFile(join(dirname(file), 'dvc.yaml'));
    return Object.entries(await readLockFile(file)).flatMap(([stage, { outs }]) => {
      const inGit = keptInGit(pipeline[stage]);
      return outs
        .filter(isUsable)
        .filter(({ path }) => !inGit.has(path))
        .map((out) => tracked(root, dirname(file), out, `${where}: ${stage}`));
    });
  }
  const content = await readDvcFile(file);
  const base = join(dirname(file), content?.wdir ?? '.');
  return (content?.outs ?? []).filter(isUsable).map((out) => tracked(root, base, out, where));
}

/** Outs with `cache: false`: small files that are committed with the code. */
function keptInGit(stage: Record<string, unknown> | undefined): Set<string> {
  const paths = new Set<string>();
  for (const list of [stage?.outs, stage?.metrics, stage?.plots]) {
    for (const out of Array.isArray(list) ? (list as unknown[]) : []) {
      if (typeof out !== 'object' || out === null) continue;
      for (const [path, settings] of Object.entries(out)) {
        if ((settings as { cache?: unknown } | null)?.cache === false) paths.add(path);
      }
    }
  }
  return paths;
}

function tracked(
  root: string,
  base: string,
  out: OutEntry & { md5: string },
  recordedIn: string,
): TrackedOut {
  return {
    path: below(root, join(base, out.path)),
    md5: out.md5,
    sizeBytes: out.size ?? 0,
    isExecutable: out.isexec ?? false,
    recordedIn,
  };
}

function below(root: string, path: string): string {
  return relative(root, path).replaceAll(sep, '/');
}
