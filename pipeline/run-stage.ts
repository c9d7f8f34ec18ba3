import { type Artifact, type StageProgress, type StageResult } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';
import { removeTreeLater } from '../integrations/files/remove-tree';
import { type StageResults } from './results/stage-results';
import { questionOf } from './results/stage-question';
import { type ComputeStage } from './compute-stage';
import { collectStage, layOutStage } from './stage-folder';

/** A stage that is wanted. */
export interface StageJob {
  work: ComputeStage;
  /** By the name that the stage knows them by. */
  inputs: Readonly<Record<string, Artifact>>;
  /** Brings inputs into the store that are known by their hash only; called when the stage has to run. */
  bring?: (signal: AbortSignal) => Promise<void>;
  /** Run it even if its result is known. */
  afresh: boolean;
}

/** How the code of a stage is run: in a thread, a process or a container. */
export interface StageExecution {
  /** Folder of the stage contract, absolute; nobody else's. It goes in the end. */
  dir: string;
  /**
   * Runs the stage in its folder. `prepare` lays the folder out; an execution that finds its stage at work already does not call it.
   *
   * @returns compute time in ms
   */
  run: (prepare: () => Promise<void>, watch: StageWatch) => Promise<number>;
  /** Whether the stage goes on in its folder although `run` has thrown this, so that the folder must stay. */
  goesOn?: (error: unknown) => boolean;
}

/** What whoever waits for a stage gives and gets. */
export interface StageWatch {
  signal: AbortSignal;
  onProgress: (progress: StageProgress) => void;
}

export interface StageOutcome extends StageResult {
  /** Name of the result: see `StageQuestion`. */
  key: string;
  /** Nothing ran: an earlier run had the same inputs, params and code. */
  reused: boolean;
}

/**
 * The one way in which a stage comes to its result, whoever asks, wherever it runs. Finds the known result of these inputs, params
 * and code; else lays out in/ and params.json from the content store, has the stage run, collects out/ into the store, and saves
 * the result. A known result reads none of the inputs.
 *
 * Idempotent: the folder is this attempt's own; the store names outputs by content, so doing it again changes nothing; the result is
 * saved after its outputs are there.
 *
 * @throws RetrainError what the stage throws, ARTIFACT_MISSING, ARTIFACT_DAMAGED, STAGE_FAILED, STAGE_UNSAFE
 */
export async function runStage(
  { store, results }: { store: ContentStore; results: StageResults },
  job: StageJob,
  execution: StageExecution,
  watch: StageWatch,
): Promise<StageOutcome> {
  const { work, inputs } = job;
  const { signal } = watch;
  const question = questionOf(work, inputs);
  if (work.cacheable && !job.afresh) {
    const known = await results.find(question, signal);
    if (known !== null) return { ...known, key: question.key, reused: true };
  }
  await job.bring?.(signal);
  const result = await execute(store, job, execution, watch);
  if (work.cacheable) await results.save(question, result, signal);
  return { ...result, key: question.key, reused: false };
}

async function execute(
  store: ContentStore,
  { work, inputs }: StageJob,
  execution: StageExecution,
  watch: StageWatch,
): Promise<StageResult> {
  const { dir } = execution;
  let goesOn = false;
  try {
    const durationMs = await execution.run(
      () => layOutStage(store, dir, { inputs, params: work.params }),
      watch,
    );
    watch.onProgress({ phase: 'storing' });
    return { ...(await collectStage(store, dir, work)), durationMs };
  } catch (error) {
    goesOn = execution.goesOn?.(error) ?? false;
    throw error;
  } finally {
    if (!goesOn) await removeTreeLater(dir);
  }
}
