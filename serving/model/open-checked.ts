import { existsSync } from 'node:fs';
import path from 'node:path';
import { type ClaimedIdentity } from '../../integrations/signing/check-identity';
import { checkModel, type Signed } from '../../integrations/signing/check-model';
import { PROVENANCE_FILE, type ProvenanceStatement } from '../../integrations/signing/provenance';
import { SIGNATURE_FILE } from '../../integrations/signing/sign-model';
import { beginModel, type BegunModel } from './open-model';
import { type OpenOptions } from './open-options';

export interface CheckedOptions extends OpenOptions {
  /** In PEM. Null: signatures are not checked; given: a model must have a valid one. */
  publicKey: string | null;
  signal: AbortSignal;
  /** `beside`: a forest of ours is handed out while onnxruntime is still asked about it; see `CheckedModel.judged`. Default: `first`. */
  judge?: 'first' | 'beside';
}

/** A model directory that was checked, opened. */
export interface CheckedModel extends BegunModel {
  /** Its directory, absolute; it does not change. */
  dir: string;
  /** `no`: it is not signed; `unchecked`: no key was given. */
  signature: Signed;
  /** What its files were held against; null: somebody else's model, which has none. */
  provenance: ProvenanceStatement | null;
}

/** Opens the directory of a model that is in no registry, once it was checked. */
export async function openChecked(dir: string, options: CheckedOptions): Promise<CheckedModel> {
  return { ...(await checked(dir, dir, null, options)), dir, ...(await openAs(dir, options)) };
}

/** Opens a model; unless it may be judged beside, what comes back has been judged. */
export async function openAs(dir: string, options: CheckedOptions): Promise<BegunModel> {
  const begun = await beginModel(dir, options);
  return options.judge === 'beside' ? begun : { ...begun, model: await begun.judged };
}

/** A model of others has no provenance, and without a key nothing that it could be held against. */
export async function checked(
  dir: string,
  what: string,
  claimed: ClaimedIdentity | null,
  { publicKey, signal }: CheckedOptions,
): Promise<Pick<CheckedModel, 'signature' | 'provenance'>> {
  const bare = !existsSync(path.join(dir, PROVENANCE_FILE)) && !existsSync(path.join(dir, SIGNATURE_FILE));
  if (bare && publicKey === null) return { signature: 'no', provenance: null };
  const { signature, statement } = await checkModel(dir, { what, publicKey, claimed, signal });
  return { signature, provenance: statement };
}
