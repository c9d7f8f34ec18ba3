import type { Readable } from 'node:stream';
import { DigestPair, type FileDigest } from './digest';

/** Both digests of a stream of bytes, in one pass and flat memory. Rejects with the stream’s own error, or the signal’s. */
export async function digestStream(
  stream: Readable,
  options: { signal?: AbortSignal } = {},
): Promise<FileDigest> {
  const pair = new DigestPair();
  for await (const chunk of stream as AsyncIterable<Uint8Array | string>) {
    options.signal?.throwIfAborted();
    pair.update(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  }
  return pair.finish();
}
