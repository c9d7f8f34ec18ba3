import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { writeAtomically } from '../files/atomic-write';
import { IN_TOTO, keyHint, privateKey, signPayload } from './dsse';
import { modelFiles, modelName, type HashedFile } from './model-files';

export const SIGNATURE_FILE = 'model.sig';
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
export const SIGNATURE_PREDICATE = 'https://model_signing/signature/v1.0';

/** Of git and of the signature itself: never signed. */
const IGNORED = [SIGNATURE_FILE, '.git', '.gitattributes', '.github', '.gitignore'];

export interface SignOptions {
  passphrase?: string;
  signal?: AbortSignal;
}

/**
 * Signs a model directory by OpenSSF Model Signing v1.0 (https://github.com/sigstore/model-transparency): a Sigstore bundle
 * around an in-toto statement that names every file with its SHA-256. Writes `model.sig` into it, as a whole. `model_signing
 * verify key` of PyPI’s model-signing accepts it.
 *
 * @param keyPem a private key on P-256, P-384 or P-521
 * @returns the files that are signed
 * @throws RetrainError `CONFIG_INVALID` for the key; as `modelFiles` does
 */
export async function signModel(
  dir: string,
  keyPem: string,
  options: SignOptions = {},
): Promise<HashedFile[]> {
  const key = privateKey(keyPem, options.passphrase);
  const files = await modelFiles(dir, IGNORED, options);
  const payload = Buffer.from(JSON.stringify(signatureStatement(modelName(dir), files)));
  const bundle = {
    mediaType: BUNDLE_TYPE,
    verificationMaterial: { publicKey: { hint: keyHint(key) }, tlogEntries: [] },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType: IN_TOTO,
      signatures: [{ sig: signPayload(payload, key).toString('base64'), keyid: '' }],
    },
  };
  await writeAtomically(join(dir, SIGNATURE_FILE), JSON.stringify(bundle));
  return files;
}

/** SHA-256 over the digests of the files, in their order: names the model as a whole. */
export function rootDigest(digests: readonly string[]): string {
  const hash = createHash('sha256');
  for (const digest of digests) hash.update(Buffer.from(digest, 'hex'));
  return hash.digest('hex');
}

function signatureStatement(name: string, files: readonly HashedFile[]) {
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name, digest: { sha256: rootDigest(files.map(({ sha256 }) => sha256)) } }],
    predicateType: SIGNATURE_PREDICATE,
    predicate: {
      serialization: {
        method: 'files',
        hash_type: 'sha256',
        allow_symlinks: false,
        ignore_paths: IGNORED,
      },
      resources: files.map((file) => ({ name: file.name, algorithm: 'sha256', digest: file.sha256 })),
    },
  };
}
