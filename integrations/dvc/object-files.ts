import { readdirSync, statSync, type Stats } from 'node:fs';
import { chmod, mkdir, open, readFile, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RetrainError } from '../../contracts/errors';
import type { FileDigest } from '../../ml/hashing/digest';
import { digestFile, digestHandle, openFile, type DigestOptions } from '../../ml/hashing/digest-file';
import { objectPath } from './cache-layout';
import { reflink } from './place-file';
import { StagingArea } from '../files/staging-area';
import { storageTrouble } from '../files/storage-trouble';

/** Names an object in messages: the artifact that somebody asked for, and its key. */
export interface ObjectRef {
  name: string;
  md5: string;
}

/** The objects of a cache folder, one by one: where they are, whether they are good, how they get there. */
export class ObjectFiles {
  readonly staging: StagingArea;

  constructor(readonly cacheDir: string) {
    this.staging = new StagingArea(join(cacheDir, 'retrain-staging'));
  }

  pathOf(md5: string): string {
    return objectPath(this.cacheDir, md5);
  }

  async stat(md5: string): Promise<Stats | undefined> {
    try {
      return await stat(this.pathOf(md5));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Whether a good object is there: of this size, and not writable, which is how DVC judges too. */
  holds(md5: string, sizeBytes: number): boolean {
    const found = statSync(this.pathOf(md5), { throwIfNoEntry: false });
    return found !== undefined && found.size === sizeBytes && (found.mode & 0o222) === 0;
  }

  /** Whether all of these are there, whatever their size. */
  listed(md5s: readonly string[]): boolean {
    const folders = new Map<string, Set<string>>();
    return md5s.every((md5) => {
      const folder = md5.slice(0, 2);
      let names = folders.get(folder);
      if (!names) folders.set(folder, (names = new Set(namesIn(dirname(this.pathOf(md5))))));
      return names.has(md5.slice(2));
    });
  }

  /** Renames a staged file to its object, unless a good one is there; the caller removes what is left of the staged one. */
  async settle(staged: string, md5: string, sizeBytes: number): Promise<void> {
    if (this.holds(md5, sizeBytes)) return;
    const object = this.pathOf(md5);
    await chmod(staged, 0o444);
    await mkdir(dirname(object), { recursive: true });
    await rename(staged, object);
  }

  /** Stores bytes under a name that the caller computed from them. */
  async write(bytes: Uint8Array | string, md5: string): Promise<void> {
    const staged = await this.staging.newPath();
    try {
      await writeFile(staged, bytes, { flag: 'wx' });
      await this.settle(staged, md5, Buffer.byteLength(bytes));
    } finally {
      await rm(staged, { force: true });
    }
  }

  /**
   * Stores a copy of a file that others may go on to write to: its bytes are cloned or copied once, and hashed on the
   * way, so that what is stored is what was hashed.
   *
   * @param accept called with the digests before anything is stored; may throw
   * @throws RetrainError `DATA_NOT_FOUND`, `DATA_INVALID`, `DATA_CHANGED`
   */
  async copyIn(
    path: string,
    options: DigestOptions = {},
    accept: (digest: FileDigest) => void = () => undefined,
  ): Promise<FileDigest> {
    const source = await openFile(path);
    const staged = await this.staging.newPath();
    try {
      const before = await source.stat({ bigint: true });
      const digest = (await reflink(path, staged))
        ? await digestFile(staged, options)
        : await copyAndDigest(source, path, staged, options);
      const after = await source.stat({ bigint: true });
      if (after.mtimeNs !== before.mtimeNs || after.size !== before.size) {
        throw new RetrainError(
          'DATA_CHANGED',
          `${path} changed while it was stored; let its writer finish, then start again`,
        );
      }
      accept(digest);
      await this.settle(staged, digest.md5, digest.sizeBytes);
      return digest;
    } finally {
      await source.close();
      await rm(staged, { force: true });
    }
  }

  /** @throws RetrainError `ARTIFACT_MISSING` */
  async read(object: ObjectRef): Promise<Buffer> {
    try {
      return await readFile(this.pathOf(object.md5));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw this.missing(object, cause);
      throw cause;
    }
  }

  /** Does something that writes to the store; what the file system refuses becomes DISK_FULL or STORAGE_REFUSED. */
  async writing<T>(work: () => Promise<T>, needBytes?: number): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw (
        storageTrouble(error, {
          folder: this.cacheDir,
          ...(needBytes === undefined ? {} : { needBytes }),
          advice: 'make room, for instance with `dvc gc --workspace`, then repeat',
        }) ?? error
      );
    }
  }

  missing({ name, md5 }: ObjectRef, cause?: unknown): RetrainError {
    return new RetrainError(
      'ARTIFACT_MISSING',
      `${name} (md5 ${md5}) is not in ${this.cacheDir}; let all workers share one store, or start again with --force`,
      { cause },
    );
  }

  /** Moves a damaged object out of the way, for somebody to look at, and says so. */
  async setAside({ name, md5 }: ObjectRef, found: string): Promise<RetrainError> {
    const aside = join(this.cacheDir, 'retrain-damaged', `${md5}.${Date.now()}`);
    await mkdir(dirname(aside), { recursive: true });
    await rename(this.pathOf(md5), aside).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    return new RetrainError(
      'ARTIFACT_DAMAGED',
      `${name} (md5 ${md5}) has ${found} in the store; it was moved to ${aside}, start again`,
    );
  }
}

async function copyAndDigest(
  source: FileHandle,
  path: string,
  staged: string,
  options: DigestOptions,
): Promise<FileDigest> {
  const target = await open(staged, 'wx');
  try {
    return await digestHandle(source, path, { ...options, copyTo: target });
  } finally {
    await target.close();
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
