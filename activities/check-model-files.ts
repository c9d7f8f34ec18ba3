import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { RetrainError } from '../contracts/errors';
import { type Mlflow } from '../integrations/mlflow/client';
import { type ModelVersion } from '../integrations/mlflow/registry-record';
import { PROVENANCE_FILE, verifyProvenance } from '../integrations/signing/provenance';

/**
 * Fetches the files of a version and holds them against its provenance, where it has one: what goes into production by hand
 * must be whole. Idempotent: the folder is the attempt's own, and removed.
 *
 * @param scratch a folder that nobody else uses
 * @throws RetrainError VERIFICATION_FAILED
 */
export async function checkModelFiles(
  mlflow: Mlflow,
  version: ModelVersion,
  scratch: string,
  signal: AbortSignal,
): Promise<void> {
  const named = `${version.name} v${version.version}`;
  try {
    const root = await mlflow.resolveSource(version.source, signal);
    await mkdir(scratch, { recursive: true });
    const files = await mlflow.artifacts.downloadFolder(root, '', scratch, signal);
    if (!files.includes('MLmodel')) {
      throw new RetrainError(
        'VERIFICATION_FAILED',
        `${named} has no MLmodel at ${version.source}: its files are gone or incomplete; choose another version`,
      );
    }
    if (existsSync(path.join(scratch, PROVENANCE_FILE))) await verifyProvenance(scratch);
  } catch (error) {
    if (!(error instanceof RetrainError) || error.code !== 'NOT_FOUND') throw error;
    throw new RetrainError('VERIFICATION_FAILED', `the files of ${named} are gone: ${error.message}`, {
      cause: error,
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
