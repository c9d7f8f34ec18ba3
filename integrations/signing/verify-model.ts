import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { RetrainError } from '../../contracts/errors';
import { compareFiles } from './compare-files';
import { IN_TOTO, keyHint, publicKey, verifyPayload } from './dsse';
import { modelFiles, type HashedFile } from './model-files';
import { BUNDLE_TYPE, SIGNATURE_FILE, SIGNATURE_PREDICATE, STATEMENT_TYPE, rootDigest } from './sign-model';

const Bundle = z.looseObject({
  mediaType: z.literal(BUNDLE_TYPE),
  verificationMaterial: z.looseObject({
    publicKey: z.looseObject({ hint: z.string().nullish() }).optional(),
  }),
  dsseEnvelope: z.looseObject({
    payload: z.base64(),
    payloadType: z.literal(IN_TOTO),
    signatures: z.array(z.looseObject({ sig: z.base64() })).length(1),
  }),
});

const Statement = z.looseObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z
    .array(z.looseObject({ name: z.string(), digest: z.looseObject({ sha256: z.string() }) }))
    .length(1),
  predicateType: z.literal(SIGNATURE_PREDICATE),
  predicate: z.looseObject({
    serialization: z.looseObject({
      method: z.literal('files'),
      hash_type: z.literal('sha256'),
      allow_symlinks: z.boolean().default(false),
      ignore_paths: z.array(z.string()).default([]),
    }),
    resources: z.array(
      z.looseObject({
        name: z.string(),
        algorithm: z.literal('sha256'),
        digest: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    ),
  }),
});

export interface VerifyOptions {
  /** Where the signature is. Default: `model.sig` in the directory. */
  signatureFile?: string;
  signal?: AbortSignal;
}

/**
 * Checks a model directory against its signature, offline. Takes what PyPI’s model-signing 1.x signs with a key (whole files,
 * SHA-256), and our own.
 *
 * @param keyPem the public key
 * @returns the files that are covered: all that there are
 * @throws RetrainError `VERIFICATION_FAILED` with the first file that differs, or why the signature itself is no good;
 *   `CONFIG_INVALID` for the key; `DATA_NOT_FOUND` without a signature
 */
export async function verifyModel(
  dir: string,
  keyPem: string,
  options: VerifyOptions = {},
): Promise<HashedFile[]> {
  const key = publicKey(keyPem);
  const file = options.signatureFile ?? join(dir, SIGNATURE_FILE);
  const bundle = parsed(Bundle, await read(file), file);
  const hint = bundle.verificationMaterial.publicKey?.hint;
  if (hint && hint !== keyHint(key)) {
    throw refused(file, 'it was made with another key than the one given');
  }
  const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64');
  const [signature] = bundle.dsseEnvelope.signatures;
  if (!verifyPayload(payload, Buffer.from(signature!.sig, 'base64'), key)) {
    throw refused(file, 'its content was not signed with this key');
  }
  const { subject, predicate } = parsed(Statement, payload.toString('utf8'), file);
  const recorded = predicate.resources.map(({ name, digest }) => ({ name, sha256: digest }));
  if (rootDigest(recorded.map(({ sha256 }) => sha256)) !== subject[0]!.digest.sha256) {
    throw refused(file, 'its files do not add up to its subject');
  }
  const { ignore_paths: ignored, allow_symlinks: followLinks } = predicate.serialization;
  const actual = await modelFiles(dir, ignored, {
    followLinks,
    ...(options.signal && { signal: options.signal }),
  });
  compareFiles(dir, actual, recorded, 'the signature');
  return actual;
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new RetrainError('DATA_NOT_FOUND', `${file}: no such file; the model is not signed`, { cause });
  }
}

function parsed<T>(schema: z.ZodType<T>, text: string, file: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused(file, 'it is no JSON');
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw refused(
    file,
    `${issue?.path.join('.')}: ${issue?.message}; expected OpenSSF Model Signing v1.0, files and SHA-256`,
  );
}

function refused(file: string, why: string): RetrainError {
  return new RetrainError('VERIFICATION_FAILED', `${file} is no valid signature: ${why}`);
}
