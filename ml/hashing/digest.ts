import { createHash } from 'node:crypto';

/** What the bytes of a file come to. SHA-256 names it in lineage; MD5 is its key in DVC's cache. */
export interface FileDigest {
  /** 64 hex digits. */
  sha256: string;
  /** 32 hex digits. */
  md5: string;
  sizeBytes: number;
}

/** Both digests of bytes that are in memory already. */
export function digestBytes(bytes: Uint8Array | string): FileDigest {
  const pair = new DigestPair();
  pair.update(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  return pair.finish();
}

/** Takes bytes piece by piece and feeds both digests. */
export class DigestPair {
  private readonly sha256 = createHash('sha256');
  private readonly md5 = createHash('md5');
  private sizeBytes = 0;

  update(chunk: Uint8Array): void {
    this.sha256.update(chunk);
    this.md5.update(chunk);
    this.sizeBytes += chunk.length;
  }

  finish(): FileDigest {
    return { sha256: this.sha256.digest('hex'), md5: this.md5.digest('hex'), sizeBytes: this.sizeBytes };
  }
}
