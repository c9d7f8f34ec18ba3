import { createHash, type Hash } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { RetrainError } from '../../contracts/errors';
import type { ObjectStorage } from '../files/object-storage';
import { retryUnreachable } from '../files/retry-unreachable';
import { isDirectoryHash, objectKey } from './cache-layout';
import type { ContentStore } from './content-store';
import { decodeManifest, manifestHash, type ManifestEntry } from './manifest';
import { inPool } from './pool';
import {
  AT_ONCE,
  patienceOf,
  TransferMeter,
  type TransferOptions,
  type TransferResult,
  type Wanted,
} from './transfer';

/**
 * Brings artifacts from a remote into the cache. Each object is hashed as it arrives and kept only if it is what its name
 * says; a connection that breaks is taken up again where it broke. Manifests enter the cache after their files.
 *
 * @throws RetrainError `ARTIFACT_MISSING` when the remote lacks an object, `ARTIFACT_DAMAGED` when it has other bytes there,
 *   `REMOTE_UNREACHABLE`, `REMOTE_REFUSED`, `DISK_FULL`; what arrived before is kept
 */
export async function pull(
  store: ContentStore,
  remote: ObjectStorage,
  artifacts: readonly Wanted[],
  options: TransferOptions = {},
): Promise<TransferResult> {
  const { files, manifests, present } = await collect(store, remote, artifacts, options);
  const total = files.length + manifests.length + present;
  const meter = new TransferMeter(
    {
      doneObjects: present,
      totalObjects: total,
      doneBytes: 0,
      totalBytes: artifacts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    },
    options.onProgress,
  );
  let movedBytes = 0;
  await inPool(files, options.atOnce ?? AT_ONCE, async (file) => {
    movedBytes += await store.objects.writing(() => fetchObject(store, remote, file, options, meter));
    meter.object();
  });
  for (const { md5, bytes } of manifests) {
    await store.objects.writing(() => store.objects.write(bytes, md5));
    meter.object();
  }
  return { moved: files.length + manifests.length, present, movedBytes };
}

interface RemoteObject {
  name: string;
  md5: string;
}

/** What has to be fetched. Manifests that the cache lacks are fetched here, and kept aside until their files are there. */
async function collect(
  store: ContentStore,
  remote: ObjectStorage,
  artifacts: readonly Wanted[],
  options: TransferOptions,
): Promise<{ files: RemoteObject[]; manifests: { md5: string; bytes: Buffer }[]; present: number }> {
  const files = new Map<string, RemoteObject>();
  const manifests: { md5: string; bytes: Buffer }[] = [];
  const seen = new Set<string>();
  const want = async (object: RemoteObject, sizeBytes?: number) => {
    if (seen.has(object.md5)) return;
    seen.add(object.md5);
    const found = await store.objects.stat(object.md5);
    if (!found || (sizeBytes !== undefined && found.size !== sizeBytes)) files.set(object.md5, object);
  };
  for (const artifact of artifacts) {
    if (!isDirectoryHash(artifact.md5)) {
      await want(artifact, artifact.sizeBytes);
      continue;
    }
    if (seen.has(artifact.md5)) continue;
    seen.add(artifact.md5);
    let entries = await cachedManifest(store, artifact);
    if (!entries) {
      const bytes = await fetchManifest(remote, artifact, options);
      manifests.push({ md5: artifact.md5, bytes });
      entries = decodeManifest(bytes, artifact.md5);
    }
    for (const { relpath, md5 } of entries) await want({ name: `${artifact.name}/${relpath}`, md5 });
  }
  return { files: [...files.values()], manifests, present: seen.size - files.size - manifests.length };
}

/** Null when the cache has none, or had a damaged one, which is set aside. */
async function cachedManifest(store: ContentStore, object: RemoteObject): Promise<ManifestEntry[] | null> {
  try {
    return await store.manifest(object);
  } catch (error) {
    if (error instanceof RetrainError) return null;
    throw error;
  }
}

async function fetchManifest(
  remote: ObjectStorage,
  object: RemoteObject,
  options: TransferOptions,
): Promise<Buffer> {
  const rule = patienceOf(options);
  const bytes = await retryUnreachable(async () => {
    const body = await remote.read(objectKey(object.md5), rule);
    if (!body) throw absent(remote, object);
    const chunks: Buffer[] = [];
    await consuming(remote, object, async () => {
      for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk);
    });
    return Buffer.concat(chunks);
  }, rule);
  if (manifestHash(bytes) !== object.md5) throw damaged(remote, object, bytes.length, manifestHash(bytes));
  return bytes;
}

/** Returns the size. */
async function fetchObject(
  store: ContentStore,
  remote: ObjectStorage,
  object: RemoteObject,
  options: TransferOptions,
  meter: TransferMeter,
): Promise<number> {
  const staged = await store.objects.staging.newPath();
  const handle = await open(staged, 'wx');
  try {
    const arrived = { hash: createHash('md5'), bytes: 0 };
    await retryUnreachable(
      () => receive(remote, object, handle, arrived, options, meter),
      patienceOf(options),
    );
    const md5 = arrived.hash.digest('hex');
    if (md5 !== object.md5) throw damaged(remote, object, arrived.bytes, md5);
    await handle.close();
    await store.objects.settle(staged, object.md5, arrived.bytes);
    return arrived.bytes;
  } finally {
    await handle.close().catch(() => undefined);
    await rm(staged, { force: true });
  }
}

/** One attempt; `arrived` says where the one before it ended. */
async function receive(
  remote: ObjectStorage,
  object: RemoteObject,
  handle: FileHandle,
  arrived: { hash: Hash; bytes: number },
  options: TransferOptions,
  meter: TransferMeter,
): Promise<void> {
  const body = await remote.read(objectKey(object.md5), { ...patienceOf(options), from: arrived.bytes });
  if (!body) throw absent(remote, object);
  await consuming(remote, object, async () => {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      await handle.write(chunk, 0, chunk.length, arrived.bytes);
      arrived.hash.update(chunk);
      arrived.bytes += chunk.length;
      meter.bytes(chunk.length);
    }
  });
}

/** A connection that breaks in the middle is worth another try. */
async function consuming(
  remote: ObjectStorage,
  object: RemoteObject,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (cause instanceof RetrainError || (cause as Error).name === 'AbortError') throw cause;
    if (['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES'].includes((cause as NodeJS.ErrnoException).code ?? ''))
      throw cause;
    throw new RetrainError(
      'REMOTE_UNREACHABLE',
      `${remote.name}: the connection broke while ${object.name} came (${(cause as Error).message}); repeat the command`,
      { cause },
    );
  }
}

function absent(remote: ObjectStorage, { name, md5 }: RemoteObject): RetrainError {
  return new RetrainError(
    'ARTIFACT_MISSING',
    `${name} (md5 ${md5}) is neither in the cache nor on ${remote.name}; push it from a machine that has it`,
  );
}

function damaged(
  remote: ObjectStorage,
  { name, md5 }: RemoteObject,
  bytes: number,
  found: string,
): RetrainError {
  return new RetrainError(
    'ARTIFACT_DAMAGED',
    `${name} is damaged on ${remote.name}: ${objectKey(md5)} has ${bytes} bytes with MD5 ${found}; push it again from a machine that has it`,
  );
}
