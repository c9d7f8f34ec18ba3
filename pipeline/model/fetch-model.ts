import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { BRIEF } from '../../integrations/mlflow/backoff';
import { createMlflow } from '../../integrations/mlflow/client';
import { findVersion, type ModelReference } from '../../integrations/mlflow/registered-run';
import { type MlflowSettings } from '../../integrations/mlflow/settings';

/** Where models come from, and where copies of them are kept. */
export interface ModelShelf {
  mlflow: MlflowSettings;
  /** Folder of the copies, absolute. */
  dir: string;
}

/** The directory of a registered model, on this machine. */
export interface ModelCopy {
  dir: string;
  version: string;
  /** That made it, by the registry; null: not known. */
  mlflowRunId: string | null;
  /** False: MLflow did not answer, and this is the copy of the last time. */
  fresh: boolean;
}

/** Beside the copy: the number of its version, and a line with the MLflow run that made it. */
const VERSION_FILE = 'version';

/**
 * Fetches the directory of a model version onto the shelf, as a whole or not at all. The copy stays: while MLflow is
 * away, it is what there is.
 *
 * @throws RetrainError NOT_FOUND; MLFLOW_UNREACHABLE without a copy
 */
export async function fetchModel(
  shelf: ModelShelf,
  reference: ModelReference,
  signal: AbortSignal,
): Promise<ModelCopy> {
  const { model, by } = reference;
  const name = `${model}@${'alias' in by ? by.alias : by.version}`;
  const kept = path.join(shelf.dir, encodeURIComponent(name));
  const dir = path.join(kept, 'model');
  try {
    return { dir, ...(await download(shelf, reference, kept, signal)), fresh: true };
  } catch (error) {
    if (!(error instanceof RetrainError) || error.code !== 'MLFLOW_UNREACHABLE') throw error;
    if (existsSync(dir)) {
      const [version = '', runId = ''] = (await readFile(path.join(kept, VERSION_FILE), 'utf8')).split('\n');
      return { dir, version, mlflowRunId: runId === '' ? null : runId, fresh: false };
    }
    throw new RetrainError(
      'MLFLOW_UNREACHABLE',
      `${error.message}; there is no copy of ${name} here either: name a folder with the model instead`,
      { cause: error },
    );
  }
}

async function download(
  shelf: ModelShelf,
  reference: ModelReference,
  kept: string,
  signal: AbortSignal,
): Promise<Pick<ModelCopy, 'version' | 'mlflowRunId'>> {
  const mlflow = createMlflow(shelf.mlflow, { rule: BRIEF });
  const fetched = `${kept}.${process.pid}`;
  try {
    const { version, source, runId } = await findVersion(mlflow, reference, signal);
    const root = await mlflow.resolveSource(source, signal);
    await mkdir(fetched, { recursive: true });
    await mlflow.artifacts.downloadFolder(root, '', path.join(fetched, 'model'), signal);
    await writeFile(path.join(fetched, VERSION_FILE), `${version}\n${runId}\n`);
    await rm(kept, { recursive: true, force: true });
    await rename(fetched, kept);
    return { version, mlflowRunId: runId === '' ? null : runId };
  } finally {
    await rm(fetched, { recursive: true, force: true });
    await mlflow.close();
  }
}
