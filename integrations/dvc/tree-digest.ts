import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RetrainError } from '../../contracts/errors';
import type { FileDigest } from '../../ml/hashing/digest';
import { THREADS_FROM_BYTES, digestFile } from '../../ml/hashing/digest-file';
import { digestMany, type BulkOptions } from './bulk-digest';
import { decodeManifest, encodeManifest, manifestHash, treeSha256, type ManifestEntry } from './manifest';
import type { ObjectFiles } from './object-files';
import type { FileStamp, StateDb, TreeDigest } from './state-db';
import { walkFiles, type WalkedFile, type WalkOptions } from './walk-files';

export interface TreeOptions extends WalkOptions {
  state?: StateDb;
  onProgress?: BulkOptions['onProgress'];
}

/**
 * A stamp younger than this may hide a second write within the same tick of the file system’s clock, so it is not
 * remembered; 2 s where the clock counts whole seconds.
 */
const RACY_MS = 50;
const RACY_SECONDS_MS = 2100;

/**
 * Hashes a folder as DVC does. What `state` knows by its stamp is not read; with nothing changed, one query answers.
 *
 * @param dir absolute
 * @throws RetrainError as `walkFiles` and `digestMany` do
 */
export async function digestTree(dir: string, options: TreeOptions = {}): Promise<TreeDigest> {
  const files = await walkFiles(dir, options);
  const fingerprint = fingerprintOf(files);
  return options.state?.tree(dir, fingerprint) ?? (await readTree(dir, files, fingerprint, options)).tree;
}

/** `digestTree`, and every file and the manifest are in the cache afterwards. */
export async function storeTree(
  dir: string,
  objects: ObjectFiles,
  options: TreeOptions = {},
): Promise<TreeDigest> {
  const files = await walkFiles(dir, options);
  const fingerprint = fingerprintOf(files);
  const known = options.state?.tree(dir, fingerprint);
  if (known && holdsTree(known, files, objects)) return known;
  const { tree, manifest, read } = await readTree(dir, files, fingerprint, options, objects);
  if (read > 0 && fingerprintOf(await walkFiles(dir, options)) !== fingerprint) {
    throw new RetrainError(
      'DATA_CHANGED',
      `${dir} changed while it was stored; let its writer finish, then start again`,
    );
  }
  await objects.write(manifest, tree.md5);
  return tree;
}

/** Whether the cache has the manifest and, in the sizes at hand, every file of a tree. */
function holdsTree({ md5 }: TreeDigest, files: readonly WalkedFile[], objects: ObjectFiles): boolean {
  const manifest = readManifest(objects.pathOf(md5), md5);
  return (
    manifest?.length === files.length &&
    manifest.every(
      (entry, index) =>
        entry.relpath === files[index]!.relpath && objects.holds(entry.md5, files[index]!.sizeBytes),
    )
  );
}

function readManifest(path: string, md5: string): ManifestEntry[] | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return manifestHash(bytes) === md5 ? decodeManifest(bytes, md5) : undefined;
}

/** One short string for the stamps of all files: equal, if none was added, removed or written to. */
function fingerprintOf(files: readonly WalkedFile[]): string {
  const hash = createHash('sha1');
  let lines = '';
  for (const { relpath, sizeBytes, mtimeMs, ino } of files) {
    lines += `${relpath}\0${sizeBytes}\0${mtimeMs}\0${ino}\0`;
    if (lines.length > 1 << 16) {
      hash.update(lines);
      lines = '';
    }
  }
  return hash.update(lines).digest('hex');
}

async function readTree(
  dir: string,
  files: readonly WalkedFile[],
  fingerprint: string,
  options: TreeOptions,
  objects?: ObjectFiles,
): Promise<{ tree: TreeDigest; manifest: Buffer; read: number }> {
  const startedAt = Date.now();
  const { digests, missing } = recall(dir, files, options.state, objects);
  const found = await digestFiles(
    missing.map((index) => ({ path: join(dir, files[index]!.relpath), sizeBytes: files[index]!.sizeBytes })),
    options,
    objects,
  );
  missing.forEach((index, position) => (digests[index] = found[position]));

  const complete = files.map(({ relpath }, index) => ({ relpath, ...digests[index]! }));
  const manifest = encodeManifest(complete satisfies ManifestEntry[]);
  const tree = {
    md5: manifestHash(manifest),
    sha256: treeSha256(complete),
    sizeBytes: complete.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    nfiles: files.length,
  };
  if (options.state) {
    const settled = missing.filter((index) => isSettled(files[index]!, startedAt));
    options.state.saveFiles(
      settled.map((index) => ({
        path: join(dir, files[index]!.relpath),
        stamp: files[index]!,
        digest: digests[index]!,
      })),
    );
    if (settled.length === missing.length) options.state.saveTree(dir, fingerprint, tree);
  }
  return { tree, manifest, read: missing.length };
}

/** What is known without reading; `missing` are the indices of the rest, and of what the cache does not hold. */
function recall(
  dir: string,
  files: readonly WalkedFile[],
  state: StateDb | undefined,
  objects: ObjectFiles | undefined,
): { digests: (FileDigest | undefined)[]; missing: number[] } {
  const known = state?.filesBelow(dir);
  const digests = files.map((file): FileDigest | undefined => {
    const entry = known?.get(file.relpath);
    known?.delete(file.relpath);
    if (!entry || !sameStamp(entry.stamp, file)) return undefined;
    if (objects && !objects.holds(entry.digest.md5, file.sizeBytes)) return undefined;
    return entry.digest;
  });
  if (known && known.size > 0) state?.forgetFiles([...known.keys()].map((relpath) => join(dir, relpath)));
  return { digests, missing: digests.flatMap((digest, index) => (digest ? [] : [index])) };
}

/** Whether a file is as it was, as far as a stat call tells. */
export function sameStamp(a: FileStamp, b: FileStamp): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs && a.ino === b.ino;
}

/** Whether no write can hide behind the stamp any more. */
export function isSettled({ mtimeMs }: { mtimeMs: number }, readAt: number): boolean {
  return mtimeMs + (mtimeMs % 1000 === 0 ? RACY_SECONDS_MS : RACY_MS) < readAt;
}

/** Big files one by one, each on two threads; all others in bulk. */
async function digestFiles(
  files: readonly { path: string; sizeBytes: number }[],
  options: TreeOptions,
  objects: ObjectFiles | undefined,
): Promise<FileDigest[]> {
  const digests = new Array<FileDigest>(files.length);
  const small = [...files.keys()].filter((index) => files[index]!.sizeBytes < THREADS_FROM_BYTES);
  const { signal, onProgress } = options;
  const stagingDir = await objects?.staging.newPath();
  try {
    if (stagingDir) await mkdir(stagingDir);
    const list = await digestMany(
      small.map((index) => files[index]!.path),
      small.reduce((sum, index) => sum + files[index]!.sizeBytes, 0),
      {
        ...(signal && { signal }),
        ...(onProgress && { onProgress }),
        ...(objects &&
          stagingDir && { store: { objectsDir: join(objects.cacheDir, 'files', 'md5'), stagingDir } }),
      },
    );
    small.forEach((index, position) => (digests[index] = list.at(position)));
  } finally {
    if (stagingDir) await rm(stagingDir, { recursive: true, force: true });
  }
  for (const [index, { path, sizeBytes }] of files.entries()) {
    if (sizeBytes < THREADS_FROM_BYTES) continue;
    const each = { ...(signal && { signal }) };
    digests[index] = objects ? await objects.copyIn(path, each) : await digestFile(path, each);
  }
  return digests;
}
