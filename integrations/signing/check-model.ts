import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { checkIdentity, type ClaimedIdentity } from './check-identity';
import { PROVENANCE_FILE, verifyProvenance, type ProvenanceStatement } from './provenance';
import { SIGNATURE_FILE } from './sign-model';
import { verifyModel } from './verify-model';

/** `unchecked`: there is a signature, but no key was given; `no`: the model is not signed. */
export type Signed = 'valid' | 'unchecked' | 'no';

export interface CheckedModel {
  signature: Signed;
  /** Null: the folder has none. */
  statement: ProvenanceStatement | null;
}

/**
 * The one check of a model directory, for whoever is about to use it: its signature, its files against its provenance, and, of a
 * registered one, that it is the version that the registry says.
 *
 * @param options.what How people name it, for errors.
 * @param options.publicKey In PEM. Null: a signature is not checked.
 * @param options.claimed Null: a folder, of which nobody says what it is.
 * @throws RetrainError VERIFICATION_FAILED with the first thing that differs; CONFIG_INVALID for the key
 */
export async function checkModel(
  dir: string,
  options: { what: string; publicKey: string | null; claimed: ClaimedIdentity | null; signal?: AbortSignal },
): Promise<CheckedModel> {
  const { what, claimed } = options;
  const signature = await checkSignature(dir, options);
  const statement = existsSync(join(dir, PROVENANCE_FILE)) ? await verifyProvenance(dir) : null;
  if (statement === null && signature === 'no') {
    throw new RetrainError(
      'VERIFICATION_FAILED',
      `${what} has neither ${PROVENANCE_FILE} nor ${SIGNATURE_FILE}: there is nothing to check it against; train it again, or get it from where it was signed`,
    );
  }
  if (claimed === null) return { signature, statement };
  if (statement === null) {
    throw new RetrainError(
      'VERIFICATION_FAILED',
      `${what} has no ${PROVENANCE_FILE}: its signature does not tell whose version it is; fetch it and check its folder instead`,
    );
  }
  checkIdentity(statement, claimed);
  return { signature, statement };
}

async function checkSignature(
  dir: string,
  { what, publicKey, signal }: Parameters<typeof checkModel>[1],
): Promise<Signed> {
  if (!existsSync(join(dir, SIGNATURE_FILE))) {
    if (publicKey === null) return 'no';
    throw new RetrainError(
      'VERIFICATION_FAILED',
      `${what} is not signed: it has no ${SIGNATURE_FILE}, and a key was given; do not use it, or check it without a key`,
    );
  }
  if (publicKey === null) return 'unchecked';
  await verifyModel(dir, publicKey, { ...(signal && { signal }) });
  return 'valid';
}
