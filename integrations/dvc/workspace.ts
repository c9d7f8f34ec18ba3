import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { writeAtomically, writeOnceSync } from '../files/atomic-write';
import { ContentStore } from './content-store';
import { readDvcConfig, type DvcConfig } from './dvc-config';
import type { PlaceMode } from './place-file';
import { StateDb } from './state-db';

/** A project folder under DVC: its settings, its cache and what is remembered about its files. */
export interface Workspace {
  /** Folder that holds `.dvc`, absolute. */
  root: string;
  dvcDir: string;
  config: DvcConfig;
  store: ContentStore;
  state: StateDb;
  /** How files come out of the cache into the project, by `cache.type`. */
  placeMode: PlaceMode;
  close(): void;
}

export interface WorkspaceOptions {
  /** Folders with the system’s and the user’s `config` of DVC; see `readDvcConfig`. */
  outerConfigDirs?: readonly string[];
  /** Instead of the cache that the configuration names. */
  cacheDir?: string;
}

/** Opens the workspace that a folder is in; null when neither it nor one above has `.dvc`. */
export async function openWorkspace(dir: string, options: WorkspaceOptions = {}): Promise<Workspace | null> {
  const root = rootAbove(resolve(dir));
  if (root === null) return null;
  const dvcDir = join(root, '.dvc');
  const config = await readDvcConfig(dvcDir, options.outerConfigDirs);
  const state = StateDb.open(join(dvcDir, 'tmp', 'retrain', 'state.db'));
  return {
    root,
    dvcDir,
    config,
    state,
    store: new ContentStore(options.cacheDir ?? config.cacheDir, state),
    // A hard link in the project is the cached object itself: only where the user chose that.
    placeMode: config.cacheTypes.includes('hardlink') ? 'link' : 'copy',
    close: () => state.close(),
  };
}

/** Makes a folder a DVC workspace as `dvc init` does (`--no-scm` outside git). What is there stays. */
export async function initWorkspace(dir: string): Promise<void> {
  const dvcDir = join(dir, '.dvc');
  await mkdir(dvcDir, { recursive: true });
  const inGit = existsSync(join(dir, '.git'));
  writeOnceSync(join(dvcDir, 'config'), inGit ? '' : '[core]\n    no_scm = True\n', 0o644);
  if (inGit) writeOnceSync(join(dvcDir, '.gitignore'), '/config.local\n/tmp\n/cache\n', 0o644);
  writeOnceSync(
    join(dir, '.dvcignore'),
    '# Patterns of files that DVC is to leave alone: https://dvc.org/doc/user-guide/dvcignore\n',
    0o644,
  );
}

/** Keeps git from a tracked path, as `dvc add` does: `/name` in the `.gitignore` beside it. */
export async function ignoreInGit(path: string): Promise<void> {
  const file = join(dirname(path), '.gitignore');
  const line = `/${path.slice(dirname(path).length + 1)}`;
  const text = await readFile(file, 'utf8').catch(() => '');
  if (text.split(/\r?\n/).includes(line)) return;
  await writeAtomically(file, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`);
}

function rootAbove(dir: string): string | null {
  for (let folder = dir; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.dvc', 'config'))) return folder;
    if (dirname(folder) === folder) return null;
  }
}
