import { chmod, mkdir, open, rename, rm, stat, writeFile, lstat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { RetrainError } from '../../contracts/errors';
import type { Artifact } from '../../contracts/stage';
import { digestBytes, type FileDigest } from '../../ml/hashing/digest';
import { digestFile, digestHandle, openFile, type DigestOptions } from '../../ml/hashing/digest-file';
import { objectPath } from './cache-layout';
import { placeFile, reflink, type PlaceMode } from './place-file';
import { StagingArea } from './staging-area';

export interface PutOptions extends DigestOptions {
  /** What the content must be; anything else is refused with DATA_CHANGED and not stored. */
  expect?: { sha256: string };
}

export interface TakeOptions {
  /** Default `link`. */
  mode?: PlaceMode;
  /** Hash the whole object first; otherwise its size is checked. */
  verify?: boolean;
  signal?: AbortSignal;
}

/**
 * A store of files named by their content, in the layout of DVC’s cache, so that `dvc` can use the same folder.
 *
 * Every object is made in a staging folder of the store, then renamed into place, read-only: whoever sees it sees all
 * of it. A crash between any two steps leaves at most a staged file, which `sweep` removes. Writers of the same content do
 * not disturb each other: the later rename replaces an object by an equal one.
 *
 * No fsync: a process that dies loses nothing. After a power failure the file system may hand back an object
 * shorter than it was; its size then gives it away, it is set aside and made again.
 */
export class ContentStore {
  private readonly staging: StagingArea;

  constructor(readonly cacheDir: string) {
    this.staging = new StagingArea(join(cacheDir, 'retrain-staging'));
  }

  /** Where the object with this MD5 is, or would be. */
  pathOf(md5: string): string {
    return objectPath(this.cacheDir, md5);
  }

  /**
   * Stores a copy of a file that others may go on to write to. What is stored is what was hashed: the bytes
   * are cloned or copied once, and hashed on the way.
   *
   * @param name of the artifact that is returned
   * @throws RetrainError `DATA_NOT_FOUND`, `DATA_INVALID`, and `DATA_CHANGED` when the file was written to meanwhile or is not
   *   the expected one
   */
  async put(path: string, name: string, options: PutOptions = {}): Promise<Artifact> {
    const source = await openFile(path);
    const staged = await this.staging.newPath();
    try {
      const before = await source.stat({ bigint: true });
      const digest = await this.copyIn(source, path, staged, options);
      const after = await source.stat({ bigint: true });
      if (after.mtimeNs !== before.mtimeNs || after.size !== before.size) {
        throw new RetrainError(
          'DATA_CHANGED',
          `${path} changed while it was stored; let its writer finish, then start again`,
        );
      }
      expectContent(path, digest, options.expect);
      return await this.settle(staged, name, digest);
    } finally {
      await source.close();
      await rm(staged, { force: true });
    }
  }

  /** Stores bytes that are in memory. */
  async putBytes(bytes: Uint8Array | string, name: string): Promise<Artifact> {
    const digest = digestBytes(bytes);
    const staged = await this.staging.newPath();
    try {
      await writeFile(staged, bytes, { flag: 'wx' });
      return await this.settle(staged, name, digest);
    } finally {
      await rm(staged, { force: true });
    }
  }

  /**
   * Moves a file into the store that nobody else writes to: a stage’s output. It is gone from `path` afterwards. From
   * another file system it is copied; a file with other links is copied too, as those could still be written to.
   */
  async putOwned(path: string, name: string, options: PutOptions = {}): Promise<Artifact> {
    const found = await lstat(path).catch(() => undefined);
    if (!found?.isFile()) {
      throw new RetrainError(
        'STAGE_FAILED',
        `${path}: ${found ? 'not a regular file' : 'no such file'}; expected the output ${name} of a stage`,
      );
    }
    const staged = await this.staging.newPath();
    if (found.nlink > 1 || !(await moved(path, staged))) {
      const artifact = await this.put(path, name, options);
      await rm(path, { force: true });
      return artifact;
    }
    try {
      const digest = await digestFile(staged, options);
      expectContent(path, digest, options.expect);
      return await this.settle(staged, name, digest);
    } finally {
      await rm(staged, { force: true });
    }
  }

  /** Whether the object is there in its full size. */
  async has(artifact: Pick<Artifact, 'md5' | 'sizeBytes'>): Promise<boolean> {
    return (await this.statObject(artifact.md5))?.size === artifact.sizeBytes;
  }

  /**
   * Puts an artifact at `dest`, replacing what is there. Idempotent.
   *
   * @throws RetrainError `ARTIFACT_MISSING`; `ARTIFACT_DAMAGED` after the object was set aside, so that it is never used
   */
  async take(artifact: Artifact, dest: string, options: TakeOptions = {}): Promise<void> {
    if (options.verify) await this.verify(artifact, options.signal);
    const source = this.pathOf(artifact.md5);
    try {
      await placeFile(source, dest, options.mode ?? 'link');
    } catch (cause) {
      if ((await this.statObject(artifact.md5)) !== undefined) throw cause;
      throw this.missing(artifact, cause);
    }
    // Checked on what was taken, not on the object, which somebody may exchange in between.
    const { size } = await stat(dest);
    if (size === artifact.sizeBytes) return;
    await rm(dest, { force: true });
    throw await this.damaged(artifact, `${size} bytes instead of ${artifact.sizeBytes}`);
  }

  /**
   * Hashes an object in full.
   *
   * @throws RetrainError `ARTIFACT_MISSING`, `ARTIFACT_DAMAGED` (set aside)
   */
  async verify(artifact: Artifact, signal?: AbortSignal): Promise<void> {
    let digest: FileDigest;
    try {
      digest = await digestFile(this.pathOf(artifact.md5), { ...(signal && { signal }) });
    } catch (cause) {
      if (cause instanceof RetrainError && cause.code === 'DATA_NOT_FOUND')
        throw this.missing(artifact, cause);
      throw cause;
    }
    if (digest.md5 !== artifact.md5) throw await this.damaged(artifact, `MD5 ${digest.md5}`);
    if (digest.sha256 !== artifact.sha256) throw await this.damaged(artifact, `SHA-256 ${digest.sha256}`);
  }

  /**
   * Removes what crashed writers left in the staging folder; see `StagingArea.sweep`. Safe while others write. Returns how
   * many files went.
   */
  sweep(olderThanMs?: number): Promise<number> {
    return this.staging.sweep(olderThanMs);
  }

  private async copyIn(
    source: Awaited<ReturnType<typeof open>>,
    path: string,
    staged: string,
    options: DigestOptions,
  ): Promise<FileDigest> {
    if (await reflink(path, staged)) return digestFile(staged, options);
    const target = await open(staged, 'wx');
    try {
      return await digestHandle(source, path, { ...options, copyTo: target });
    } finally {
      await target.close();
    }
  }

  /** Renames a staged file to its object, unless a good one is there: same size, and not writable, as DVC judges too. */
  private async settle(staged: string, name: string, digest: FileDigest): Promise<Artifact> {
    const object = this.pathOf(digest.md5);
    const existing = await this.statObject(digest.md5);
    if (existing?.size !== digest.sizeBytes || (existing.mode & 0o222) !== 0) {
      await chmod(staged, 0o444);
      await mkdir(dirname(object), { recursive: true });
      await rename(staged, object);
    }
    return { name, ...digest };
  }

  private async statObject(md5: string): Promise<Stats | undefined> {
    try {
      return await stat(this.pathOf(md5));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  private missing(artifact: Artifact, cause: unknown): RetrainError {
    return new RetrainError(
      'ARTIFACT_MISSING',
      `${artifact.name} (md5 ${artifact.md5}) is not in ${this.cacheDir}; let all workers share one store, or start again with --force`,
      { cause },
    );
  }

  /** Moves the object out of the way, for somebody to look at, and says so. */
  private async damaged(artifact: Artifact, found: string): Promise<RetrainError> {
    const aside = join(this.cacheDir, 'retrain-damaged', `${artifact.md5}.${Date.now()}`);
    await mkdir(dirname(aside), { recursive: true });
    await rename(this.pathOf(artifact.md5), aside).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    return new RetrainError(
      'ARTIFACT_DAMAGED',
      `${artifact.name} (md5 ${artifact.md5}) has ${found} in the store; it was moved to ${aside}, start again`,
    );
  }
}

function expectContent(path: string, digest: FileDigest, expect: PutOptions['expect']): void {
  if (!expect || digest.sha256 === expect.sha256) return;
  throw new RetrainError(
    'DATA_CHANGED',
    `${path} has SHA-256 ${digest.sha256}, expected ${expect.sha256}: it changed since the run was started; start again`,
  );
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
