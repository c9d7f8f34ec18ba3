import { createHash } from 'node:crypto';
import { z } from 'zod';
import { RetrainError } from '../../contracts/errors';
import { byCodePoint } from '../../ml/dataset/code-point-order';

/** One file of a tracked directory. */
export interface ManifestEntry {
  /** Below the directory, with `/`. */
  relpath: string;
  md5: string;
}

/**
 * Bytes of the `.dir` object of a directory, as DVC writes them: Python’s `json.dumps(entries, sort_keys=True)`
 * of `{md5, relpath}`, sorted by relpath in code-point order (dvc_data/hashfile/tree.py).
 */
export function encodeManifest(entries: readonly ManifestEntry[]): Buffer {
  const items = [...entries]
    .sort((a, b) => byCodePoint(a.relpath, b.relpath))
    .map(({ md5, relpath }) => `{"md5": "${md5}", "relpath": ${pythonString(relpath)}}`);
  return Buffer.from(`[${items.join(', ')}]`, 'ascii');
}

/** DVC’s hash of a directory: MD5 of its manifest, with `.dir` behind it. */
export function manifestHash(manifest: Buffer): string {
  return `${createHash('md5').update(manifest).digest('hex')}.dir`;
}

const Manifest = z.array(z.object({ md5: z.string().regex(/^[0-9a-f]{32}$/), relpath: z.string().min(1) }));

/**
 * Reads a `.dir` object, whoever wrote it.
 *
 * @param hash its name, for messages
 * @throws RetrainError `ARTIFACT_DAMAGED` when it is no manifest, or names a path that leaves the directory
 */
export function decodeManifest(manifest: Buffer, hash: string): ManifestEntry[] {
  let parsed: ManifestEntry[];
  try {
    parsed = Manifest.parse(JSON.parse(manifest.toString('utf8')));
  } catch (cause) {
    throw new RetrainError(
      'ARTIFACT_DAMAGED',
      `${hash} is no directory manifest of DVC; fetch it again from the remote`,
      { cause },
    );
  }
  const unsafe = parsed.find(({ relpath }) => !isSafeRelpath(relpath));
  if (unsafe) {
    throw new RetrainError(
      'ARTIFACT_DAMAGED',
      `${hash} names the path ${JSON.stringify(unsafe.relpath)}, which leaves the directory; nothing of it is used`,
    );
  }
  return parsed;
}

/** Whether a path of a manifest or a lock stays below the folder that it is joined to. */
export function isSafeRelpath(relpath: string): boolean {
  if (relpath.startsWith('/') || relpath.includes('\0')) return false;
  return relpath.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

/**
 * SHA-256 of a directory: of the lines that `sha256sum` prints for its files, sorted by relpath in bytes. So anyone can check it:
 * `find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum`.
 */
export function treeSha256(entries: readonly { relpath: string; sha256: string }[]): string {
  const hash = createHash('sha256');
  const sorted = [...entries].sort((a, b) => byCodePoint(a.relpath, b.relpath));
  for (const { relpath, sha256 } of sorted) {
    const escaped = relpath.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
    hash.update(`${escaped === relpath ? '' : '\\'}${sha256}  ${escaped}\n`);
  }
  return hash.digest('hex');
}

/** A string as Python’s json.dumps writes it: ASCII, everything else escaped, hex in lower case. */
function pythonString(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
