import type { Readable } from 'node:stream';

/** What a storage says about an object that is there; sizes in bytes. */
export interface StoredObject {
  key: string;
  sizeBytes: number;
}

/** A local file that is to be stored. */
export interface Upload {
  path: string;
  sizeBytes: number;
  /** 32 hex digits: the storage refuses the upload when the bytes that arrive are others. */
  md5: string;
}

export interface StorageOptions {
  signal?: AbortSignal;
}

/**
 * Where data remotes keep their objects: a flat space of keys with `/` in them. Small on purpose: a folder, S3 and plain HTTP
 * all fit.
 *
 * All methods reject with RetrainError `REMOTE_UNREACHABLE` (worth another try) or `REMOTE_REFUSED` (not so), and with
 * the signal’s reason. An object is written as a whole or not at all.
 */
export interface ObjectStorage {
  /** For messages; never holds a credential. */
  readonly name: string;
  /** Null when there is no such object. */
  stat(key: string, options?: StorageOptions): Promise<StoredObject | null>;
  /** Objects whose key starts so; null when this storage cannot tell. */
  list(prefix: string, options?: StorageOptions): AsyncIterable<StoredObject> | null;
  /** Bytes of an object from a position on; null when there is no such object. */
  read(key: string, options?: StorageOptions & { from?: number }): Promise<Readable | null>;
  /** Stores a file, replacing what is there. `onBytes` gets the bytes sent since its last call. */
  write(
    key: string,
    upload: Upload,
    options?: StorageOptions & { onBytes?: (bytes: number) => void },
  ): Promise<void>;
  close(): void;
}
