import type { Artifact } from '../../contracts/stage';
import type { ObjectStorage } from '../files/object-storage';
import { type RemotePatience, retryUnreachable } from '../files/retry-unreachable';
import { objectKey } from './cache-layout';
import { inPool } from './pool';

/** What is moved between the cache and a remote; the directory’s files go with it. */
export type Wanted = Pick<Artifact, 'name' | 'md5' | 'sizeBytes'>;

export interface TransferProgress {
  /** Objects; those that were there already count as done. */
  doneObjects: number;
  totalObjects: number;
  /** Bytes that were moved, and that have to be. */
  doneBytes: number;
  totalBytes: number;
}

export interface TransferOptions extends RemotePatience {
  /** Objects at once. Default 16. */
  atOnce?: number;
  onProgress?: (progress: TransferProgress) => void;
}

export interface TransferResult {
  /** Objects that were moved, manifests included. */
  moved: number;
  /** Objects that were there already. */
  present: number;
  movedBytes: number;
}

export const AT_ONCE = 16;

/** How each request is repeated. */
export function patienceOf({ attempts, firstWaitMs, signal }: TransferOptions): RemotePatience {
  return { ...(attempts && { attempts }), ...(firstWaitMs && { firstWaitMs }), ...(signal && { signal }) };
}

/** A remote is listed when asking for each object would take more requests than this share of its size. */
const FOLDERS = 256;

/**
 * Sizes of those objects that the remote has. Few are asked for one by one; many by listing the remote’s folders, if a sample
 * says that this takes fewer requests.
 */
export async function sizesOnRemote(
  remote: ObjectStorage,
  md5s: readonly string[],
  options: TransferOptions = {},
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  const atOnce = options.atOnce ?? AT_ONCE;
  const rule = patienceOf(options);
  const listFolder = (folder: string) =>
    retryUnreachable(async () => {
      let count = 0;
      for await (const { key, sizeBytes } of remote.list(`files/md5/${folder}/`, rule) ?? []) {
        sizes.set(key.slice('files/md5/'.length).replace('/', ''), sizeBytes);
        count++;
      }
      return count;
    }, rule);
  const wanted = new Set(md5s);
  const folders = [...new Set(md5s.map((md5) => md5.slice(0, 2)))];
  if (md5s.length > FOLDERS && remote.list('files/md5/00/', rule) !== null) {
    const pages = 1 + Math.floor((await listFolder(folders[0]!)) / 1000);
    if (pages * folders.length < md5s.length) {
      await inPool(folders.slice(1), atOnce, async (folder) => {
        await listFolder(folder);
      });
      for (const md5 of sizes.keys()) if (!wanted.has(md5)) sizes.delete(md5);
      return sizes;
    }
  }
  sizes.clear();
  await inPool(md5s, atOnce, async (md5) => {
    const found = await retryUnreachable(() => remote.stat(objectKey(md5), rule), rule);
    if (found) sizes.set(md5, found.sizeBytes);
  });
  return sizes;
}

/** Counts what a transfer has done and tells it on, at most ten times a second and once at the end. */
export class TransferMeter {
  private last = 0;

  constructor(
    private readonly progress: TransferProgress,
    private readonly tell: TransferOptions['onProgress'],
  ) {}

  bytes(count: number): void {
    this.progress.doneBytes += count;
    this.report(false);
  }

  object(): void {
    this.progress.doneObjects++;
    this.report(this.progress.doneObjects === this.progress.totalObjects);
  }

  private report(always: boolean): void {
    const now = Date.now();
    if (!always && now - this.last < 100) return;
    this.last = now;
    this.tell?.({ ...this.progress });
  }
}
