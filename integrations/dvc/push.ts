import { statSync } from 'node:fs';
import type { ObjectStorage } from '../files/object-storage';
import { retryUnreachable } from '../files/retry-unreachable';
import { isDirectoryHash, objectKey } from './cache-layout';
import type { ContentStore } from './content-store';
import { inPool } from './pool';
import {
  AT_ONCE,
  patienceOf,
  TransferMeter,
  sizesOnRemote,
  type TransferOptions,
  type TransferResult,
  type Wanted,
} from './transfer';

interface LocalObject {
  name: string;
  md5: string;
  sizeBytes: number;
}

/**
 * Brings artifacts from the cache to a remote. Objects that are there in their size are left alone, so an interrupted push goes on
 * where it was. All files go before the first directory manifest: whoever finds a manifest there finds its files.
 *
 * @throws RetrainError `ARTIFACT_MISSING` before anything is sent, when the cache lacks an object; `ARTIFACT_DAMAGED` when one has
 *   other bytes than its name says (it is set aside); `REMOTE_UNREACHABLE`, `REMOTE_REFUSED`
 */
export async function push(
  store: ContentStore,
  remote: ObjectStorage,
  artifacts: readonly Wanted[],
  options: TransferOptions = {},
): Promise<TransferResult> {
  const { files, manifests } = await collect(store, artifacts);
  const all = [...files, ...manifests];
  const there = await sizesOnRemote(
    remote,
    all.map(({ md5 }) => md5),
    options,
  );
  const isNew = ({ md5, sizeBytes }: LocalObject) => there.get(md5) !== sizeBytes;
  const missing = all.filter(isNew);
  const movedBytes = missing.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const meter = new TransferMeter(
    {
      doneObjects: all.length - missing.length,
      totalObjects: all.length,
      doneBytes: 0,
      totalBytes: movedBytes,
    },
    options.onProgress,
  );
  for (const batch of [files.filter(isNew), manifests.filter(isNew)]) {
    await inPool(batch, options.atOnce ?? AT_ONCE, async (object) => {
      await send(store, remote, object, meter, options);
      meter.object();
    });
  }
  return { moved: missing.length, present: all.length - missing.length, movedBytes };
}

async function send(
  store: ContentStore,
  remote: ObjectStorage,
  object: LocalObject,
  meter: TransferMeter,
  options: TransferOptions,
): Promise<void> {
  const { md5, sizeBytes } = object;
  const upload = { path: store.pathOf(md5), sizeBytes, md5: md5.replace(/\.dir$/, '') };
  const rule = patienceOf(options);
  try {
    await retryUnreachable(async () => {
      let sent = 0;
      const onBytes = (bytes: number) => {
        sent += bytes;
        meter.bytes(bytes);
      };
      try {
        await remote.write(objectKey(md5), upload, { ...rule, onBytes });
      } catch (error) {
        meter.bytes(-sent);
        throw error;
      }
    }, rule);
  } catch (error) {
    // The remote may have refused the bytes because they are not those of the name.
    if ((error as { code?: string }).code === 'ARTIFACT_DAMAGED')
      await store.verifyObject(object, options.signal);
    throw error;
  }
}

/** Every object of the artifacts, once. */
async function collect(
  store: ContentStore,
  artifacts: readonly Wanted[],
): Promise<{ files: LocalObject[]; manifests: LocalObject[] }> {
  const files = new Map<string, LocalObject>();
  const manifests = new Map<string, LocalObject>();
  for (const { name, md5 } of artifacts) {
    if (!isDirectoryHash(md5)) {
      files.set(md5, local(store, name, md5));
      continue;
    }
    for (const entry of await store.manifest({ name, md5 })) {
      if (!files.has(entry.md5)) files.set(entry.md5, local(store, `${name}/${entry.relpath}`, entry.md5));
    }
    manifests.set(md5, local(store, name, md5));
  }
  return { files: [...files.values()], manifests: [...manifests.values()] };
}

function local(store: ContentStore, name: string, md5: string): LocalObject {
  const found = statSync(store.pathOf(md5), { throwIfNoEntry: false });
  if (!found) throw store.objects.missing({ name, md5 });
  return { name, md5, sizeBytes: found.size };
}
