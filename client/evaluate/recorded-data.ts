import { existsSync } from 'node:fs';
import { RetrainError } from '../../contracts/errors';
import { bringInputs } from '../../pipeline/bring-inputs';
import { digestData } from '../../pipeline/run/digest-data';
import { insideProject } from '../../pipeline/run/inside-project';
import { fetchData } from '../reproduce/rerun';
import { type Judge } from './judge';

/**
 * Puts the data that a version was trained on into the store: as the project has it, else from the remote.
 *
 * @throws RetrainError DATA_NOT_FOUND when nobody has it
 */
export async function bringRecorded(
  { config, recorded, store, data }: Judge,
  signal: AbortSignal,
): Promise<void> {
  if (await store.has(data)) return;
  const shown = recorded.data.path;
  const file = insideProject(config.project, shown, 'the recorded params');
  if (existsSync(file) && (await digestData(config.project, file, signal)).sha256 === data.sha256) {
    return bringInputs(store, [{ artifact: data, file, shown }], signal);
  }
  const remote = await fetchData(config, { ...data, name: shown }, store, signal).catch((error: unknown) => {
    if (error instanceof RetrainError && error.code === 'ARTIFACT_MISSING') return null;
    throw error;
  });
  if (remote !== null && (await store.has(data))) return;
  throw new RetrainError(
    'DATA_NOT_FOUND',
    `${recorded.model} v${recorded.version} has no held-out rows here: its data ${shown} with SHA-256 ${data.sha256.slice(0, 12)} is neither in the project, nor in the cache, nor on ${remote ?? 'a remote'}; fetch it (retrain restore ${recorded.model}@${recorded.version}), or give rows with --data FILE`,
  );
}
