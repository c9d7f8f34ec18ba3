import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Artifact, ARTIFACT } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';
import { type ModelFile } from '../integrations/mlflow/model-directory';
import { type Origin, PROVENANCE_FILE, writeProvenance } from '../integrations/signing/provenance';
import { SIGNATURE_FILE, signModel } from '../integrations/signing/sign-model';

/** With what models are signed. */
export interface SigningKey {
  /** A private key on P-256, P-384 or P-521. */
  pem: string;
  passphrase?: string;
}

/**
 * Lays out a model directory: the small files, and model.onnx out of the store, linked where the file system can.
 *
 * @param dir a folder that nobody else uses; its last part is what a signature calls the model
 */
export async function layOutModel(
  dir: string,
  files: readonly ModelFile[],
  store: ContentStore,
  model: Artifact,
): Promise<void> {
  await mkdir(dir, { recursive: true });
  await store.take(model, path.join(dir, ARTIFACT.model));
  for (const { path: name, bytes } of files) {
    const file = path.join(dir, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
}

/**
 * Adds its passport to a model directory: `provenance.json` over all files, and, with a key, `model.sig` over those.
 *
 * @returns the names of what was added
 */
export async function addPassport(dir: string, origin: Origin, key: SigningKey | null): Promise<string[]> {
  await writeProvenance(dir, origin);
  if (key === null) return [PROVENANCE_FILE];
  const { pem, passphrase } = key;
  await signModel(dir, pem, passphrase === undefined ? {} : { passphrase });
  return [PROVENANCE_FILE, SIGNATURE_FILE];
}
