import { RetrainError } from '../../contracts/errors';
import { type RunIdentity } from '../../pipeline/run/identify-run';
import { readStageCode } from '../../pipeline/stage-code';
import { isShown, keptPublication } from '../../pipeline/workspace/kept-publication';
import { type ClientConfig } from '../config';
import { openProjectStore } from '../data/project-store';

/** How long a start waits for `dvc`, or another run, to leave the workspace alone. */
const PATIENCE_MS = 10_000;

/**
 * Brings the workspace back to a run whose result was there already, when it shows another run of the model: as `dvc repro`
 * brings outputs back from its run cache. Never fails the start: its result is known.
 *
 * @returns what to tell the user; null when there is nothing to tell
 */
export async function showAgain(config: ClientConfig, identity: RunIdentity): Promise<string | null> {
  const opened = await openProjectStore(config);
  try {
    const { store } = opened;
    const kept = await keptPublication(store, identity.pipelineKey);
    // A run of another machine, or of before runs were kept: the workspace stays as it is.
    if (kept === null) return null;
    const publication = { spec: identity, ...kept };
    if (await isShown(config.project, publication)) return null;
    const [{ publishRun }, code] = await Promise.all([
      import('../../pipeline/workspace/publish-run.js'),
      readStageCode(config.stageCodeFile),
    ]);
    await publishRun(config.project, store, { ...publication, code }, { timeoutMs: PATIENCE_MS });
    return 'The workspace shows this run again: its files came out of the cache.';
  } catch (error) {
    const reason = error instanceof RetrainError ? error.message : String(error);
    return `The workspace shows another run still: ${reason}.`;
  } finally {
    opened.close();
  }
}
