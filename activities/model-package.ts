import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type ModelFile, MODEL_PATH } from '../integrations/mlflow/model-directory';
import { type Origin, PROVENANCE_FILE, writeProvenance } from '../integrations/signing/provenance';
import { SIGNATURE_FILE, signModel } from '../integrations/signing/sign-model';

/** With what models are signed. */
export interface SigningKey {
  /** A private key on P-256, P-384 or P-521. */
  pem: string;
  passphrase?: string;
}

/**
 * A model directory with its passport: `provenance.json` over all files, and, with a key, `model.sig` over those. MLmodel stays
 * last: a directory that has it is whole.
 *
 * Idempotent: the folder is the attempt's own, and removed.
 *
 * @param scratch a folder that nobody else uses
 */
export async function withPassport(
  files: readonly ModelFile[],
  origin: Origin,
  key: SigningKey | null,
  scratch: string,
): Promise<ModelFile[]> {
  // The signature calls the model by the last part of its folder.
  const dir = path.join(scratch, MODEL_PATH);
  try {
    for (const { path: name, bytes } of files) {
      const file = path.join(dir, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, bytes);
    }
    await writeProvenance(dir, origin);
    if (key !== null) {
      const { pem, passphrase } = key;
      await signModel(dir, pem, passphrase === undefined ? {} : { passphrase });
    }
    const added = key === null ? [PROVENANCE_FILE] : [PROVENANCE_FILE, SIGNATURE_FILE];
    const passport = await Promise.all(
      added.map(async (name) => ({ path: name, bytes: await readFile(path.join(dir, name)) })),
    );
    return [...files.slice(0, -1), ...passport, ...files.slice(-1)];
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
