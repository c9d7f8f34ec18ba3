import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { RetrainError } from '../../contracts/errors';
import { digestHandle } from '../../ml/hashing/digest-file';
import { badDigest } from './bad-digest';
import { StagingArea } from '../files/staging-area';
import { storageTrouble } from '../files/storage-trouble';
import type { StorageOptions, ObjectStorage, StoredObject, Upload } from '../files/object-storage';

/** A folder as a storage: a mounted drive, or a disk beside the cache. */
export class FolderStorage implements ObjectStorage {
  private readonly staging: StagingArea;
  /** What dead processes left of their uploads goes before the first upload of this one. */
  private swept: Promise<number> | undefined;

  constructor(private readonly root: string) {
    this.staging = new StagingArea(join(root, 'retrain-staging'));
  }

  get name(): string {
    return this.root;
  }

  async stat(key: string): Promise<StoredObject | null> {
    const found = await absentAsNull(() => stat(join(this.root, key)), this.root);
    return found?.isFile() ? { key, sizeBytes: found.size } : null;
  }

  async *list(prefix: string, { signal }: StorageOptions = {}): AsyncIterable<StoredObject> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const entries = await absentAsNull(
      () => readdir(join(this.root, folder), { recursive: true, withFileTypes: true }),
      this.root,
    );
    for (const entry of entries ?? []) {
      signal?.throwIfAborted();
      const key = relative(this.root, join(entry.parentPath, entry.name)).replaceAll(sep, '/');
      if (!entry.isFile() || !key.startsWith(prefix)) continue;
      const found = await this.stat(key);
      if (found) yield found;
    }
  }

  async read(key: string, options: StorageOptions & { from?: number } = {}): Promise<Readable | null> {
    if (!(await this.stat(key))) return null;
    return createReadStream(join(this.root, key), {
      start: options.from ?? 0,
      ...(options.signal && { signal: options.signal }),
    });
  }

  async write(
    key: string,
    upload: Upload,
    options: StorageOptions & { onBytes?: (bytes: number) => void } = {},
  ): Promise<void> {
    const target = join(this.root, key);
    await reported(
      this.root,
      async () => {
        await (this.swept ??= this.staging.sweep());
        const staged = await this.staging.newPath();
        await mkdir(dirname(target), { recursive: true });
        const source = await open(upload.path, 'r');
        try {
          const copy = await open(staged, 'wx', 0o444);
          try {
            const digest = await digestHandle(source, upload.path, {
              copyTo: copy,
              ...(options.signal && { signal: options.signal }),
            });
            if (digest.md5 !== upload.md5) throw badDigest(key, this.root, upload, digest.md5);
          } finally {
            await copy.close();
          }
          await rename(staged, target);
          options.onBytes?.(upload.sizeBytes);
        } finally {
          await source.close();
          await rm(staged, { force: true });
        }
      },
      upload.sizeBytes,
    );
  }

  close(): void {
    // A folder holds nothing open.
  }
}

const ABSENT = new Set(['ENOENT', 'ENOTDIR']);

async function absentAsNull<T>(work: () => Promise<T>, root: string): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (ABSENT.has((error as NodeJS.ErrnoException).code ?? '')) return null;
    return reported(root, () => Promise.reject(error as Error));
  }
}

const REFUSED = new Set(['EACCES', 'EPERM', 'EROFS']);
const OUT_OF_ORDER = new Set(['EIO', 'ESTALE', 'ETIMEDOUT', 'EHOSTDOWN', 'ENOTCONN']);

async function reported<T>(root: string, work: () => Promise<T>, needBytes?: number): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw (
        storageTrouble(cause, { folder: root, ...(needBytes === undefined ? {} : { needBytes }) }) ?? cause
      );
    }
    if (REFUSED.has(code)) {
      throw new RetrainError(
        'REMOTE_REFUSED',
        `${root} may not be used (${message}); check its permissions`,
        { cause },
      );
    }
    if (OUT_OF_ORDER.has(code)) {
      throw new RetrainError('REMOTE_UNREACHABLE', `${root} does not answer (${message})`, { cause });
    }
    throw cause;
  }
}
