import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { badDigest } from './bad-digest';
import type { StorageOptions, Upload } from '../files/object-storage';

interface Place {
  Bucket: string;
  Key: string;
}

interface Part {
  PartNumber: number;
  ETag: string;
}

const PART_BYTES = 16 << 20;
/** S3’s limit. */
const MOST_PARTS = 10_000;
const AT_ONCE = 4;

/**
 * Uploads a big file in parts, each with its MD5. An upload of the same object that was interrupted, by whomever, is
 * continued: parts that arrived are compared by MD5 and not sent again. Other leftovers for this object are removed.
 */
export async function uploadInParts(
  client: S3Client,
  place: Place,
  upload: Upload,
  options: StorageOptions & { onBytes?: (bytes: number) => void },
): Promise<void> {
  const send = { ...(options.signal && { abortSignal: options.signal }) };
  const partBytes = Math.max(PART_BYTES, Math.ceil(upload.sizeBytes / MOST_PARTS));
  const count = Math.max(1, Math.ceil(upload.sizeBytes / partBytes));
  const uploadId = await resumable(client, place, send);
  const arrived = await partsOf(client, place, uploadId, send);
  const parts: Part[] = [];
  const whole = createHash('md5');
  const handle = await open(upload.path, 'r');
  try {
    let next = 1;
    let reading: Promise<unknown> = Promise.resolve();
    /** One after the other, so that the whole file is hashed on the way. */
    const read = (number: number): Promise<Buffer> => {
      const part = reading.then(async () => {
        const body = await readPart(handle, (number - 1) * partBytes, partBytes);
        whole.update(body);
        return body;
      });
      reading = part;
      return part;
    };
    const work = async () => {
      for (let number = next++; number <= count; number = next++) {
        options.signal?.throwIfAborted();
        const body = await read(number);
        const md5 = createHash('md5').update(body).digest();
        const ETag =
          arrived.get(number) === md5.toString('hex')
            ? `"${md5.toString('hex')}"`
            : await uploadPart(client, place, uploadId, number, body, md5, send);
        parts.push({ PartNumber: number, ETag });
        options.onBytes?.(body.length);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    await handle.close();
  }
  const found = whole.digest('hex');
  if (found !== upload.md5) {
    await client.send(new AbortMultipartUploadCommand({ ...place, UploadId: uploadId }), send);
    throw badDigest(place.Key, `s3://${place.Bucket}`, upload, found);
  }
  parts.sort((a, b) => a.PartNumber - b.PartNumber);
  await client.send(
    new CompleteMultipartUploadCommand({ ...place, UploadId: uploadId, MultipartUpload: { Parts: parts } }),
    send,
  );
}

/** The newest unfinished upload of the object, or a new one; older ones are removed. */
async function resumable(
  client: S3Client,
  place: Place,
  send: { abortSignal?: AbortSignal },
): Promise<string> {
  const listed = await client.send(
    new ListMultipartUploadsCommand({ Bucket: place.Bucket, Prefix: place.Key }),
    send,
  );
  const unfinished = (listed.Uploads ?? [])
    .filter(({ Key, UploadId }) => Key === place.Key && UploadId !== undefined)
    .sort((a, b) => Number(b.Initiated ?? 0) - Number(a.Initiated ?? 0))
    .map(({ UploadId }) => UploadId!);
  for (const UploadId of unfinished.slice(1)) {
    await client.send(new AbortMultipartUploadCommand({ ...place, UploadId }), send);
  }
  if (unfinished[0]) return unfinished[0];
  const created = await client.send(new CreateMultipartUploadCommand(place), send);
  return created.UploadId!;
}

/** Number → MD5 of the parts that arrived. */
async function partsOf(
  client: S3Client,
  place: Place,
  UploadId: string,
  send: { abortSignal?: AbortSignal },
): Promise<Map<number, string>> {
  const arrived = new Map<number, string>();
  for (let marker: string | undefined; ;) {
    const page = await client.send(
      new ListPartsCommand({ ...place, UploadId, ...(marker && { PartNumberMarker: marker }) }),
      send,
    );
    for (const { PartNumber, ETag } of page.Parts ?? []) {
      if (PartNumber !== undefined && ETag) arrived.set(PartNumber, ETag.replaceAll('"', ''));
    }
    marker = page.NextPartNumberMarker;
    if (!page.IsTruncated || !marker) return arrived;
  }
}

async function uploadPart(
  client: S3Client,
  place: Place,
  UploadId: string,
  PartNumber: number,
  Body: Buffer,
  md5: Buffer,
  send: { abortSignal?: AbortSignal },
): Promise<string> {
  const { ETag } = await client.send(
    new UploadPartCommand({ ...place, UploadId, PartNumber, Body, ContentMD5: md5.toString('base64') }),
    send,
  );
  return ETag!;
}

async function readPart(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
