import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { RetrainError } from '../../contracts/errors';

/** Media type of a payload that is an in-toto statement. */
export const IN_TOTO = 'application/vnd.in-toto+json';

/** Curves of OpenSSF Model Signing, each with its hash. */
const HASH_OF_CURVE: Record<string, string> = {
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

/**
 * Reads a private key.
 *
 * @param pem PKCS#8 or SEC 1; `passphrase` when it is encrypted
 * @throws RetrainError `CONFIG_INVALID`
 */
export function privateKey(pem: string, passphrase?: string): KeyObject {
  return elliptic(
    () => createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) }),
    'private',
  );
}

/** @throws RetrainError `CONFIG_INVALID` */
export function publicKey(pem: string): KeyObject {
  return elliptic(() => createPublicKey(pem), 'public');
}

/** SHA-256 of a public key in PEM: how a signature names the key that it was made with. */
export function keyHint(key: KeyObject): string {
  const own = key.type === 'private' ? createPublicKey(key) : key;
  return createHash('sha256')
    .update(own.export({ type: 'spki', format: 'pem' }))
    .digest('hex');
}

/** ECDSA over the payload in DSSE’s pre-authentication encoding; DER. */
export function signPayload(payload: Buffer, key: KeyObject): Buffer {
  return sign(hashOf(key), preAuthEncoding(payload), key);
}

export function verifyPayload(payload: Buffer, signature: Buffer, key: KeyObject): boolean {
  return verify(hashOf(key), preAuthEncoding(payload), key, signature);
}

/** https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md */
function preAuthEncoding(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${IN_TOTO.length} ${IN_TOTO} ${payload.length} `), payload]);
}

function hashOf(key: KeyObject): string {
  return HASH_OF_CURVE[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? 'sha256';
}

function elliptic(read: () => KeyObject, kind: string): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch (cause) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `the ${kind} key cannot be read (${(cause as Error).message}); expected PEM, as \`openssl ecparam -name prime256v1 -genkey -noout\` writes it`,
      { cause },
    );
  }
  const curve = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? 'unknown';
  if (HASH_OF_CURVE[curve]) return key;
  throw new RetrainError(
    'CONFIG_INVALID',
    `the ${kind} key is of kind ${curve}; expected an elliptic curve key (${Object.keys(HASH_OF_CURVE).join(', ')})`,
  );
}
