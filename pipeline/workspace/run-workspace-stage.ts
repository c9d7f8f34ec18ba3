import { rm } from 'node:fs/promises';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { isExtraArtifact } from '../../contracts/data-params';
import { ARTIFACT, type Artifact, type StageResult } from '../../contracts/stage';
import { type ContentStore } from '../../integrations/dvc/content-store';
import { type PlaceMode } from '../../integrations/dvc/place-file';
import { SafePaths } from '../../integrations/dvc/safe-path';
import { writeAtomically } from '../../integrations/files/atomic-write';
import { bringInputs, type ProjectInput } from '../bring-inputs';
import { storedReceipt } from '../results/stage-receipt';
import { StageResults } from '../results/stage-results';
import { digestData } from '../run/digest-data';
import { relabelled } from '../run/relabelled';
import { runStage, type StageExecution, type StageOutcome, type StageWatch } from '../run-stage';
import { type ComputeStage } from '../compute-stage';
import { byName } from '../stage';
import { metricsBytes, type WorkspaceStage } from './workspace-stages';

/** What a stage needs to run on the files of a workspace. */
export interface StageSurroundings {
  /** The project's folder, absolute: what the paths of a `WorkspaceStage` are relative to. */
  project: string;
  store: ContentStore;
  /** How outputs come out of the store into the workspace. */
  placeMode: PlaceMode;
  execution: StageExecution;
  watch: StageWatch;
}

/**
 * Runs a stage on the files of the workspace, or puts the known result of the same code, params and inputs there. Inputs
 * are hashed first, and the stage reads stored copies under those hashes: what is recorded is what it saw. Takes none of DVC's
 * locks, which `dvc repro` holds meanwhile.
 *
 * Idempotent: see `runStage`; files appear as a whole under their names, the metrics last.
 *
 * @param force run even if the result is known
 * @throws RetrainError DATA_NOT_FOUND without an input, and as `runStage`
 */
export async function runWorkspaceStage(
  around: StageSurroundings,
  work: ComputeStage,
  at: WorkspaceStage,
  force: boolean,
): Promise<StageOutcome> {
  const { project, store, execution, watch } = around;
  const found = await hashInputs(around, at);
  const inputs = byName(found.map(({ artifact }) => artifact));
  const results = new StageResults(store, { project });
  const bring = (signal: AbortSignal): Promise<void> => bringInputs(store, found, signal);
  const job = { work, inputs, bring, afresh: force };
  const result = await runStage({ store, results }, job, execution, watch);
  await show(around, at, result, await storedReceipt(store, work, at, inputs, result));
  return result;
}

async function hashInputs(
  { project, watch: { signal } }: StageSurroundings,
  at: WorkspaceStage,
): Promise<ProjectInput[]> {
  const hashed = Object.entries(at.inputs).map(async ([name, shown]): Promise<ProjectInput> => {
    const file = path.join(project, shown);
    try {
      return { artifact: { name, ...(await digestData(project, file, signal)) }, file, shown };
    } catch (error) {
      if (isExtraArtifact(name)) throw relabelled(error, file, shown, name.replace('data.', 'data.extra.'));
      if (name === ARTIFACT.data || !(error instanceof RetrainError) || error.code !== 'DATA_NOT_FOUND') {
        throw relabelled(error, file, shown);
      }
      throw new RetrainError(
        'DATA_NOT_FOUND',
        `${shown}, an input of ${at.name}, is not there; run the stages before it first, or \`dvc repro\``,
        { cause: error },
      );
    }
  });
  // Of several that are missing the first one is told, whichever was looked at first.
  await Promise.allSettled(hashed);
  return Promise.all(hashed);
}

/** Outputs and metrics to where the workspace has them; what this result does not have goes. */
async function show(
  { project, store, placeMode }: StageSurroundings,
  at: WorkspaceStage,
  { outputs, metrics }: StageResult,
  receipt: Artifact | null,
): Promise<void> {
  const paths = new SafePaths(project);
  const made = byName(outputs);
  for (const [name, relative] of Object.entries(at.outputs)) {
    const file = paths.resolve(relative);
    const artifact = made[name];
    if (artifact === undefined) await rm(file, { force: true });
    else await store.take(artifact, file, { mode: placeMode });
  }
  if (at.receipt !== null && receipt !== null) {
    await store.take(receipt, paths.resolve(at.receipt), { mode: placeMode });
  }
  await writeAtomically(paths.resolve(at.metrics), metricsBytes(metrics));
}
