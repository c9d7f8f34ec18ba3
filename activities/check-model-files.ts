import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { RetrainError } from '../contracts/errors';
import { ARTIFACT } from '../contracts/stage';
import { type Mlflow } from '../integrations/mlflow/client';
import { type ModelVersion } from '../integrations/mlflow/registry-record';
import { checkModel } from '../integrations/signing/check-model';
import { PROVENANCE_FILE, verifyProvenance } from '../integrations/signing/provenance';
import { digestFile } from '../ml/hashing/digest-file';

/**
 * Fetches the files of a version and checks them: with a key as `retrain verify` does, by signature, provenance, and what the registry
 * says that it is; without one, against its provenance, where it has one. Idempotent: the folder is the attempt's own, and removed.
 *
 * @param scratch a folder that nobody else uses
 * @param publicKey in PEM; null: none is configured
 * @returns SHA-256 of its model.onnx; null when it has none
 * @throws RetrainError VERIFICATION_FAILED
 */
export async function checkModelFiles(
  mlflow: Mlflow,
  version: ModelVersion,
  scratch: string,
  signal: AbortSignal,
  publicKey: string | null,
): Promise<string | null> {
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
    if (publicKey !== null) {
      const claimed = { model: version.name, version: version.version, mlflowRunId: version.runId };
      await checkModel(scratch, { what: named, publicKey, claimed, signal });
    } else if (existsSync(path.join(scratch, PROVENANCE_FILE))) await verifyProvenance(scratch);
    const onnx = path.join(scratch, ARTIFACT.model);
    return existsSync(onnx) ? (await digestFile(onnx, { signal })).sha256 : null;
  } catch (error) {
    if (!(error instanceof RetrainError) || error.code !== 'NOT_FOUND') throw error;
    throw new RetrainError('VERIFICATION_FAILED', `the files of ${named} are gone: ${error.message}`, {
      cause: error,
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
