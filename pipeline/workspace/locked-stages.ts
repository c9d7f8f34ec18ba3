import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { type Params } from '../../contracts/params';
import { currentDigest } from '../../integrations/dvc/data-status';
import { readLockFile, type LockedStage } from '../../integrations/dvc/lock-file';
import { isUsable } from '../../integrations/dvc/out-entry';
import { type RestoreTarget } from '../../integrations/dvc/restore';
import { type Workspace } from '../../integrations/dvc/workspace';
import { computeStage } from '../compute-stage';
import { isComputeStage, type ComputeStageName } from '../stage';
import { loadParams } from '../run/load-params';
import { questionOf } from '../results/stage-question';
import { type StageCode } from '../stage-code';
import { type ImageDigest, stageImages } from '../stage-images';
import { workspaceStages, type WorkspaceStage } from './workspace-stages';

/** A stage of ours that `dvc.lock` records. */
interface OwnStage {
  stage: ComputeStageName;
  paramsFile: string;
  locked: LockedStage;
}

/**
 * The training data that `dvc.lock` records: inputs of our stages that no stage makes.
 *
 * @throws RetrainError CONFIG_INVALID
 */
export async function lockedData(root: string): Promise<RestoreTarget[]> {
  const locked = await readLockFile(path.join(root, 'dvc.lock'));
  const made = new Set(Object.values(locked).flatMap(({ outs }) => outs.map((out) => out.path)));
  const data = ownStages(locked).flatMap(({ locked: { deps } }) =>
    deps.filter(isUsable).filter((dep) => !made.has(dep.path)),
  );
  const byPath = new Map(data.map((dep) => [dep.path, dep]));
  return [...byPath.values()].map(({ path: at, md5, size, isexec }) => ({
    path: at,
    md5,
    sizeBytes: size ?? 0,
    isExecutable: isexec ?? false,
  }));
}

export interface LockedKeysOptions {
  code: StageCode;
  /** Tells what an image name means; asked for container stages only. */
  imageDigest: ImageDigest;
  signal?: AbortSignal;
}

/**
 * Names of the results that `dvc.lock` records, as the stage cache has them: by code and params as they are now. A stage
 * whose inputs are neither in the workspace nor in the cache has none, nor one whose params file is gone or broken, or whose
 * image nobody knows.
 */
export async function lockedStageKeys(workspace: Workspace, options: LockedKeysOptions): Promise<string[]> {
  const keys: string[] = [];
  const locked = await readLockFile(path.join(workspace.root, 'dvc.lock'));
  for (const own of ownStages(locked)) {
    const params = await ifKnown(() => loadParams(workspace.root, own.paramsFile));
    const images = params && (await ifKnown(async () => (await imagesOf(params, options)) ?? {}));
    const at = params && workspaceStages(own.paramsFile, params).find(({ stage }) => stage === own.stage);
    const inputs = at && (await inputsOf(workspace, own, at, options));
    if (!inputs || !images) continue;
    keys.push(questionOf(computeStage(own.stage, params, options.code, images), inputs).key);
  }
  return keys;
}

function imagesOf(params: Params, options: LockedKeysOptions): Promise<Record<string, string> | undefined> {
  return stageImages(params, options.imageDigest);
}

function ownStages(locked: Readonly<Record<string, LockedStage>>): OwnStage[] {
  return Object.values(locked).flatMap((each) => {
    const called = /^npx (?:--no )?retrain stage (\w+)(?: --params (.+))?$/.exec(String(each.cmd));
    const [, stage = '', paramsFile = 'params.yaml'] = called ?? [];
    return isComputeStage(stage) ? [{ stage, paramsFile, locked: each }] : [];
  });
}

/** SHA-256 of each input; a file of the workspace that is the recorded one is not read again. */
async function inputsOf(
  workspace: Workspace,
  { locked }: OwnStage,
  at: WorkspaceStage,
  { signal }: LockedKeysOptions,
): Promise<Record<string, { sha256: string }> | undefined> {
  const each = { ...(signal && { signal }) };
  const inputs: Record<string, { sha256: string }> = {};
  for (const [name, file] of Object.entries(at.inputs)) {
    const dep = locked.deps.find((one) => one.path === file);
    if (dep === undefined || !isUsable(dep)) return undefined;
    const now = await currentDigest(workspace, file, each);
    const found =
      now?.md5 === dep.md5 ? now : await ifKnown(() => workspace.store.describe(name, dep.md5, signal));
    if (found === undefined) return undefined;
    inputs[name] = { sha256: found.sha256 };
  }
  return inputs;
}

async function ifKnown<T>(find: () => Promise<T>): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof RetrainError) return undefined;
    throw error;
  }
}
