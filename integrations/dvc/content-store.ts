import { statSync } from 'node:fs';
import { lstat, mkdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { RetrainError } from '../../contracts/errors';
import type { Artifact } from '../../contracts/stage';
import { digestBytes, type FileDigest } from '../../ml/hashing/digest';
import { digestFile, type DigestOptions } from '../../ml/hashing/digest-file';
import { isDirectoryHash } from './cache-layout';
import { decodeManifest, manifestHash, treeSha256, type ManifestEntry } from './manifest';
import { writingTo } from '../files/storage-trouble';
import { ObjectFiles } from './object-files';
import { placeFile, placeFiles, type PlaceMode } from './place-file';
import type { FileStamp, StateDb } from './state-db';
import { isSettled, storeTree, type TreeOptions } from './tree-digest';

export interface PutOptions extends DigestOptions {
  /** What the content must be; anything else is refused with DATA_CHANGED. */
  expect?: { sha256: string };
  /** For a directory: what to leave out of it, and what to make of links. */
  walk?: Pick<TreeOptions, 'ignored' | 'symlinks'>;
  onProgress?: TreeOptions['onProgress'];
}

export interface TakeOptions {
  /** Default `link`. */
  mode?: PlaceMode;
  /** Hash the whole object first; otherwise its size is checked. */
  verify?: boolean;
  signal?: AbortSignal;
}

/**
 * A store of files and directories named by their content, in the layout of DVC’s cache, so that `dvc` can use the same
 * folder.
 *
 * Every object is made in a staging folder of the store, then renamed into place, read-only: whoever sees it sees all
 * of it; a directory’s manifest comes after its files. A crash between any two steps leaves at most staged files, which `sweep`
 * removes. Writers of the same content do not disturb each other: the later rename replaces an object by an equal one.
 *
 * No fsync: a process that dies loses nothing. After a power failure the file system may hand back an object
 * shorter than it was; its size then gives it away, it is set aside and made again.
 */
export class ContentStore {
  readonly objects: ObjectFiles;

  /**
   * @param cacheDir `.dvc/cache`, or wherever `cache.dir` points
   * @param state remembers hashes, so that an unchanged directory is not read again
   */
  constructor(
    readonly cacheDir: string,
    private readonly state?: StateDb,
  ) {
    this.objects = new ObjectFiles(cacheDir);
  }

  /** Where the object with this MD5 is, or would be. */
  pathOf(md5: string): string {
    return this.objects.pathOf(md5);
  }

  /**
   * Stores a copy of a file or directory that others may go on to write to. What is stored is what was hashed.
   *
   * @param name of the artifact that is returned
   * @throws RetrainError `DATA_NOT_FOUND`, `DATA_INVALID`, `DISK_FULL`, and `DATA_CHANGED` when something was written to meanwhile or is not
   *   the expected one
   */
  async put(path: string, name: string, options: PutOptions = {}): Promise<Artifact> {
    const accept = (digest: { sha256: string }) => expectContent(path, digest, options.expect);
    if (!(await isDirectory(path))) {
      const needBytes = (await stampOf(path))?.sizeBytes;
      return { name, ...(await this.objects.writing(() => this.putFile(path, options, accept), needBytes)) };
    }
    const trees: TreeOptions = {
      ...(this.state && { state: this.state }),
      ...(options.signal && { signal: options.signal }),
      ...(options.onProgress && { onProgress: options.onProgress }),
      ...options.walk,
    };
    const { md5, sha256, sizeBytes } = await this.objects.writing(() =>
      storeTree(resolve(path), this.objects, trees),
    );
    accept({ sha256 });
    return { name, md5, sha256, sizeBytes };
  }

  /** Stores bytes that are in memory. */
  async putBytes(bytes: Uint8Array | string, name: string): Promise<Artifact> {
    const digest = digestBytes(bytes);
    await this.objects.writing(() => this.objects.write(bytes, digest.md5), digest.sizeBytes);
    return { name, ...digest };
  }

  /**
   * Moves a file or directory into the store that nobody else writes to: a stage’s output. It is gone from `path` afterwards.
   * What cannot be moved safely is copied: a file of another file system or with other links, and directories. Links are refused.
   *
   * @throws RetrainError `STAGE_FAILED` when there is no such output or it is a link or a device
   */
  async putOwned(path: string, name: string, options: PutOptions = {}): Promise<Artifact> {
    const found = await lstat(path).catch(() => undefined);
    if (!found?.isFile() && !found?.isDirectory()) {
      throw new RetrainError(
        'STAGE_FAILED',
        `${path}: ${found ? 'not a regular file' : 'no such file'}; expected the output ${name} of a stage`,
      );
    }
    const staged = await this.objects.writing(() => this.objects.staging.newPath());
    if (found.isDirectory() || found.nlink > 1 || !(await moved(path, staged))) {
      const artifact = await this.put(path, name, {
        ...options,
        walk: { ...options.walk, symlinks: 'refuse' },
      });
      await rm(path, { recursive: true, force: true });
      return artifact;
    }
    try {
      const digest = await digestFile(staged, options);
      expectContent(path, digest, options.expect);
      await this.objects.writing(() => this.objects.settle(staged, digest.md5, digest.sizeBytes));
      return { name, ...digest };
    } finally {
      await rm(staged, { force: true });
    }
  }

  /** Whether an artifact is there in full: the object, or the manifest and all of its files, with the right sizes. */
  async has(artifact: Pick<Artifact, 'md5' | 'sizeBytes'>): Promise<boolean> {
    const found = await this.objects.stat(artifact.md5);
    if (!found) return false;
    if (!isDirectoryHash(artifact.md5)) return found.size === artifact.sizeBytes;
    try {
      let total = 0;
      for (const { md5 } of await this.manifest({ name: '', ...artifact })) {
        total += statSync(this.pathOf(md5), { throwIfNoEntry: false })?.size ?? NaN;
      }
      return total === artifact.sizeBytes;
    } catch (error) {
      if (error instanceof RetrainError) return false;
      throw error;
    }
  }

  /**
   * `has` without the sizes, by listing the store’s folders where that takes fewer calls: what `dvc status` looks at. A
   * file that is shorter than it was shows when it is taken.
   */
  async lists(artifact: Pick<Artifact, 'md5' | 'sizeBytes'>): Promise<boolean> {
    if (!isDirectoryHash(artifact.md5)) return this.has(artifact);
    try {
      return this.objects.listed((await this.manifest({ name: '', ...artifact })).map(({ md5 }) => md5));
    } catch (error) {
      if (error instanceof RetrainError) return false;
      throw error;
    }
  }

  /**
   * Puts an artifact at `dest`, replacing a file that is there; a directory’s files are added to what is there. Idempotent.
   *
   * @throws RetrainError `ARTIFACT_MISSING`; `ARTIFACT_DAMAGED` after the object was set aside, so that it is never used;
   *   `DISK_FULL`, `STORAGE_REFUSED`
   */
  async take(artifact: Artifact, dest: string, options: TakeOptions = {}): Promise<void> {
    if (options.verify) await this.verify(artifact, options.signal);
    await writingTo({ folder: dest, needBytes: artifact.sizeBytes }, () =>
      isDirectoryHash(artifact.md5)
        ? this.takeFolder(artifact, dest, options)
        : this.takeFile(artifact, dest, options.mode),
    );
  }

  private async takeFolder(artifact: Artifact, dest: string, options: TakeOptions): Promise<void> {
    await mkdir(dest, { recursive: true });
    const total = await this.takeTree(artifact, dest, options);
    if (total === artifact.sizeBytes) return;
    throw new RetrainError(
      'ARTIFACT_DAMAGED',
      `${artifact.name} (md5 ${artifact.md5}) has ${total} bytes in the store instead of ${artifact.sizeBytes}; find the file with --verify`,
    );
  }

  /**
   * Hashes an artifact in full: a file’s bytes, or a directory’s manifest and all of its files.
   *
   * @throws RetrainError `ARTIFACT_MISSING`, `ARTIFACT_DAMAGED` (set aside)
   */
  async verify(artifact: Artifact, signal?: AbortSignal): Promise<void> {
    if (!isDirectoryHash(artifact.md5)) {
      const { sha256 } = await this.verifyObject(artifact, signal);
      if (sha256 !== artifact.sha256) throw await this.objects.setAside(artifact, `SHA-256 ${sha256}`);
      return;
    }
    const { sha256 } = await this.describe(artifact.name, artifact.md5, signal);
    if (sha256 !== artifact.sha256) throw await this.objects.setAside(artifact, `SHA-256 ${sha256}`);
  }

  /**
   * The artifact of what the store has under a DVC hash, as a lock of DVC’s names it. Hashes all of it, and so checks it.
   *
   * @throws RetrainError `ARTIFACT_MISSING`, `ARTIFACT_DAMAGED` (set aside)
   */
  async describe(name: string, md5: string, signal?: AbortSignal): Promise<Artifact> {
    if (!isDirectoryHash(md5)) return { name, ...(await this.verifyObject({ name, md5 }, signal)) };
    const files: { relpath: string; sha256: string }[] = [];
    let sizeBytes = 0;
    for (const entry of await this.manifest({ name, md5 })) {
      const digest = await this.verifyObject({ name: `${name}/${entry.relpath}`, md5: entry.md5 }, signal);
      files.push({ relpath: entry.relpath, sha256: digest.sha256 });
      sizeBytes += digest.sizeBytes;
    }
    return { name, md5, sha256: treeSha256(files), sizeBytes };
  }

  /**
   * Files of a directory artifact.
   *
   * @throws RetrainError `ARTIFACT_MISSING`, `ARTIFACT_DAMAGED` (set aside)
   */
  async manifest(artifact: { name: string; md5: string }): Promise<ManifestEntry[]> {
    const bytes = await this.objects.read(artifact);
    const actual = manifestHash(bytes);
    if (actual !== artifact.md5) throw await this.objects.setAside(artifact, `MD5 ${actual}`);
    return decodeManifest(bytes, artifact.md5);
  }

  /**
   * Removes what crashed writers left in the staging folder; see `StagingArea.sweep`. Safe while others write. Returns how
   * many entries went.
   */
  sweep(olderThanMs?: number): Promise<number> {
    return this.objects.staging.sweep(olderThanMs);
  }

  /** A file that `state` knows by its stamp, and whose object is there, is not read. */
  private async putFile(
    path: string,
    options: PutOptions,
    accept: (digest: FileDigest) => void,
  ): Promise<FileDigest> {
    const readAt = Date.now();
    const stamp = this.state && (await stampOf(path));
    const known = stamp && this.state?.file(resolve(path), stamp);
    if (known && this.objects.holds(known.md5, known.sizeBytes)) {
      accept(known);
      return known;
    }
    const digest = await this.objects.copyIn(path, options, accept);
    if (stamp && isSettled(stamp, readAt)) {
      this.state?.saveFiles([{ path: resolve(path), stamp, digest }]);
    }
    return digest;
  }

  /** Returns the sum of the sizes. */
  private async takeTree(artifact: Artifact, dest: string, options: TakeOptions): Promise<number> {
    const entries = await this.manifest(artifact);
    const files = entries.map(({ md5, relpath }) => ({
      source: this.pathOf(md5),
      dest: join(dest, relpath),
    }));
    let total = 0;
    let done = 0;
    try {
      await placeFiles(files, options.mode ?? 'link', {
        ...(options.signal && { signal: options.signal }),
        placed: (index) => {
          total += statSync(files[index]!.dest).size;
          done++;
        },
      });
    } catch (cause) {
      const entry = entries[done];
      if (!entry || (await this.objects.stat(entry.md5)) !== undefined) throw cause;
      throw this.objects.missing({ name: `${artifact.name}/${entry.relpath}`, md5: entry.md5 }, cause);
    }
    return total;
  }

  private async takeFile(artifact: Artifact, dest: string, mode: PlaceMode = 'link'): Promise<void> {
    try {
      await placeFile(this.pathOf(artifact.md5), dest, mode);
    } catch (cause) {
      if ((await this.objects.stat(artifact.md5)) !== undefined) throw cause;
      throw this.objects.missing(artifact, cause);
    }
    // Checked on what was taken, not on the object, which somebody may exchange in between.
    const { size } = await stat(dest);
    if (size === artifact.sizeBytes) return;
    await rm(dest, { force: true });
    throw await this.objects.setAside(artifact, `${size} bytes instead of ${artifact.sizeBytes}`);
  }

  /**
   * Hashes one object, a manifest as the file that it is.
   *
   * @throws RetrainError `ARTIFACT_MISSING`, `ARTIFACT_DAMAGED` (set aside)
   */
  async verifyObject(object: { name: string; md5: string }, signal?: AbortSignal): Promise<FileDigest> {
    let digest: FileDigest;
    try {
      digest = await digestFile(this.pathOf(object.md5), { ...(signal && { signal }) });
    } catch (cause) {
      if (cause instanceof RetrainError && cause.code === 'DATA_NOT_FOUND') {
        throw this.objects.missing(object, cause);
      }
      throw cause;
    }
    if (digest.md5 === object.md5.replace(/\.dir$/, '')) return digest;
    throw await this.objects.setAside(object, `MD5 ${digest.md5}`);
  }
}

function expectContent(path: string, digest: { sha256: string }, expect: PutOptions['expect']): void {
  if (!expect || digest.sha256 === expect.sha256) return;
  throw new RetrainError(
    'DATA_CHANGED',
    `${path} has SHA-256 ${digest.sha256}, expected ${expect.sha256}: it changed since the run was started; start again`,
  );
}

async function stampOf(path: string): Promise<FileStamp | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found && { sizeBytes: found.size, mtimeMs: found.mtimeMs, ino: found.ino };
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** False when the target is on another file system. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EXDEV') return false;
    throw error;
  }
}
