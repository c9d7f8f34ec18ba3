import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { currentMd5 } from './data-status';
import { readLockFile, type LockedStage } from './lock-file';
import { readPipelineFile } from './pipeline-file';
import type { Workspace } from './workspace';

/** What of a stage differs from what `dvc.lock` records of its last run. */
export interface StageChange {
  stage: string;
  /** `modified data/iris.csv`, `deleted …`, `changed params.yaml: train`, `changed command`, `never run`. */
  changes: string[];
}

/**
 * Which stages of the `dvc.yaml` at the root `dvc repro` would run, and because of what: command, dependencies, params. Outs are the
 * business of `dataStatus`. Templates (`${…}`) and params files that are not YAML are not looked into.
 *
 * @throws RetrainError `CONFIG_INVALID`
 */
export async function pipelineStatus(
  workspace: Workspace,
  options: { signal?: AbortSignal } = {},
): Promise<StageChange[]> {
  const { root } = workspace;
  const pipeline = await readPipelineFile(join(root, 'dvc.yaml'));
  const locked = await readLockFile(join(root, 'dvc.lock'));
  const made = new Set(Object.values(locked).flatMap(({ outs }) => outs.map(({ path }) => path)));
  const found: StageChange[] = [];
  for (const [stage, { cmd }] of Object.entries(pipeline)) {
    const lock = locked[stage];
    if (lock === undefined) {
      if (!isTemplate(cmd)) found.push({ stage, changes: ['never run'] });
      continue;
    }
    const changes = [
      ...(isTemplate(cmd) || isDeepStrictEqual(cmd, lock.cmd) ? [] : ['changed command']),
      ...(await changedDeps(workspace, lock, made, options)),
      ...(await changedParams(root, lock)),
    ];
    if (changes.length > 0) found.push({ stage, changes });
  }
  return found;
}

async function changedDeps(
  workspace: Workspace,
  { deps }: LockedStage,
  made: ReadonlySet<string>,
  options: { signal?: AbortSignal },
): Promise<string[]> {
  const changes: string[] = [];
  for (const { path, md5, hash } of deps) {
    if (md5 === undefined || hash !== 'md5' || made.has(path)) continue;
    const now = await currentMd5(workspace, path, options);
    if (now !== md5) changes.push(`${now === null ? 'deleted' : 'modified'} ${path}`);
  }
  return changes;
}

async function changedParams(root: string, { params }: LockedStage): Promise<string[]> {
  const changes: string[] = [];
  for (const [file, recorded] of Object.entries(params)) {
    if (!/\.ya?ml$/.test(file)) continue;
    const text = await readFile(join(root, file), 'utf8').catch(() => '');
    const now: unknown = parse(text);
    for (const [key, value] of Object.entries(recorded)) {
      if (!isDeepStrictEqual(valueAt(now, key), value)) changes.push(`changed ${file}: ${key}`);
    }
  }
  return changes;
}

function valueAt(value: unknown, dotted: string): unknown {
  return dotted
    .split('.')
    .reduce<unknown>(
      (below, key) =>
        typeof below === 'object' && below !== null ? (below as Record<string, unknown>)[key] : undefined,
      value,
    );
}

function isTemplate(cmd: unknown): boolean {
  return cmd === undefined || JSON.stringify(cmd).includes('${');
}
