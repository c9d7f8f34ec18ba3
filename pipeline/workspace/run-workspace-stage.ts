import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { ARTIFACT, type Artifact, type StageResult } from '../../contracts/stage';
import { writeAtomically } from '../../integrations/files/atomic-write';
import { type ContentStore } from '../../integrations/dvc/content-store';
import { type PlaceMode } from '../../integrations/dvc/place-file';
import { SafePaths } from '../../integrations/dvc/safe-path';
import { computeStageKey, type ComputeStage } from '../stage';
import { relabelled } from '../run/relabelled';
import { collectStage, layOutStage } from '../stage-folder';
import { storedReceipt } from '../results/stage-receipt';
import { StageResults } from '../results/stage-results';
import { metricsBytes, type WorkspaceStage } from './workspace-stages';

/** What a stage needs to run on the files of a workspace. */
export interface StageSurroundings {
  /** The project's folder, absolute: what the paths of a `WorkspaceStage` are relative to. */
  project: string;
  store: ContentStore;
  /** How outputs come out of the store into the workspace. */
  placeMode: PlaceMode;
  /** Holds the working folders, on the file system of the store if inputs are to be linked. */
  scratchDir: string;
  signal: AbortSignal;
  /** Runs the stage's code in a folder of the stage contract; `prepare` lays it out. @returns compute time in ms */
  execute(dir: string, prepare: () => Promise<void>): Promise<number>;
}

/** A stage that ran on the workspace, or whose known result was put there. */
export interface WorkspaceStageResult extends StageResult {
  /** Name of the result; see `StageResults`. */
  key: string;
  reused: boolean;
}

/**
 * Runs a stage on the files of the workspace, or puts the known result of the same code, params and inputs there. Inputs
 * are stored first, and the stage reads the stored copies: what is recorded is what it saw. Takes none of DVC's
 * locks, which `dvc repro` holds meanwhile.
 *
 * Idempotent: files appear as a whole under their names, the metrics last.
 *
 * @param force run even if the result is known
 * @throws RetrainError DATA_NOT_FOUND without an input, what the stage throws, and those of the store
 */
export async function runWorkspaceStage(
  around: StageSurroundings,
  stage: ComputeStage,
  at: WorkspaceStage,
  force: boolean,
): Promise<WorkspaceStageResult> {
  const { project, store } = around;
  const inputs = await storeInputs(around, at);
  const question = { work: stage, inputs, key: computeStageKey(stage, inputs) };
  const results = new StageResults(store, { project });
  const known = force || !stage.cacheable ? null : await results.find(question, around.signal);
  const result = known ?? (await runNow(around, stage, inputs));
  if (known === null && stage.cacheable) await results.save(question, result);
  await publish(around, at, result, await storedReceipt(store, stage, at, inputs, result));
  return { ...result, key: question.key, reused: known !== null };
}

async function storeInputs(
  { project, store, signal }: StageSurroundings,
  at: WorkspaceStage,
): Promise<Record<string, Artifact>> {
  const stored = Object.entries(at.inputs).map(async ([name, relative]) => {
    const file = path.join(project, relative);
    try {
      return [name, await store.put(file, name, { signal })] as const;
    } catch (error) {
      if (name === ARTIFACT.data || !(error instanceof RetrainError) || error.code !== 'DATA_NOT_FOUND')
        throw relabelled(error, file, relative);
      throw new RetrainError(
        'DATA_NOT_FOUND',
        `${relative}, an input of ${at.name}, is not there; run the stages before it first, or \`dvc repro\``,
        { cause: error },
      );
    }
  });
  return Object.fromEntries(await Promise.all(stored));
}

async function runNow(
  around: StageSurroundings,
  { stage, params, outputs, mayLeave }: ComputeStage,
  inputs: Readonly<Record<string, Artifact>>,
): Promise<StageResult> {
  const { store, scratchDir } = around;
  await sweepDead(scratchDir);
  const dir = path.join(scratchDir, `${stage}-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    const durationMs = await around.execute(dir, () => layOutStage(store, dir, { inputs, params }));
    return { ...(await collectStage(store, dir, { stage, outputs, mayLeave })), durationMs };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Outputs and metrics to where the workspace has them; what this result does not have goes. */
async function publish(
  { project, store, placeMode }: StageSurroundings,
  at: WorkspaceStage,
  { outputs, metrics }: StageResult,
  receipt: Artifact | null,
): Promise<void> {
  const paths = new SafePaths(project);
  const byName = new Map(outputs.map((artifact) => [artifact.name, artifact]));
  for (const [name, relative] of Object.entries(at.outputs)) {
    const file = paths.resolve(relative);
    const artifact = byName.get(name);
    if (artifact === undefined) await rm(file, { force: true });
    else await store.take(artifact, file, { mode: placeMode });
  }
  if (at.receipt !== null && receipt !== null) {
    await store.take(receipt, paths.resolve(at.receipt), { mode: placeMode });
  }
  await writeAtomically(paths.resolve(at.metrics), metricsBytes(metrics));
}

/** Removes working folders of processes that are gone. */
async function sweepDead(scratchDir: string): Promise<void> {
  await mkdir(scratchDir, { recursive: true });
  for (const name of await readdir(scratchDir)) {
    const pid = Number(/-(\d+)-[0-9a-f]{8}$/.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) await rm(path.join(scratchDir, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
