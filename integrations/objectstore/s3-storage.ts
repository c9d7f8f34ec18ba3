import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import type { StorageOptions, ObjectStorage, StoredObject, Upload } from '../files/object-storage';
import { asRemoteError, isNotFound } from './s3-errors';
import { uploadInParts } from './s3-multipart';

export interface S3StorageSettings {
  bucket: string;
  /** Before every key, without slashes at its ends; may be empty. */
  prefix: string;
  /** A server other than AWS’s: MinIO, DagsHub. */
  endpoint?: string;
  region?: string;
  /** Without: the SDK’s own chain of environment, shared files, and instance roles. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  /** Of the shared credentials file. */
  profile?: string;
  /** From this size on, an object goes up in parts, and an interrupted upload is continued. Default 64 MiB. */
  partsFromBytes?: number;
}

/** AWS redirects to the right one from there; others do not care. */
const FALLBACK_REGION = 'us-east-1';
const PARTS_FROM_BYTES = 64 << 20;
/** Smaller files are read into memory: a stream each costs more than it saves. */
const IN_MEMORY_BYTES = 1 << 20;

/** S3 and what speaks its protocol. Uploads carry their MD5, which the server checks. */
export class S3Storage implements ObjectStorage {
  private connected: Promise<S3Client> | undefined;

  constructor(private readonly settings: S3StorageSettings) {}

  private async connect(): Promise<S3Client> {
    const { endpoint, credentials, profile } = this.settings;
    const config: S3ClientConfig = {
      followRegionRedirects: true,
      // Retries are ours, the same for all storages.
      maxAttempts: 1,
      // Not all servers know the newer checksums; the MD5 does the same here.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(endpoint && { endpoint, forcePathStyle: true }),
      ...(credentials && { credentials }),
      ...(profile && { profile }),
    };
    const region = this.settings.region ?? (endpoint && FALLBACK_REGION);
    const client = new S3Client({ ...config, ...(region && { region }) });
    // Rejects where neither the environment nor a shared file names one.
    const isKnown = await client.config.region().then(Boolean, () => false);
    return isKnown ? client : new S3Client({ ...config, region: FALLBACK_REGION });
  }

  get name(): string {
    const { endpoint, bucket, prefix } = this.settings;
    return `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}${endpoint ? ` at ${endpoint.replace(/\/\/[^/]*@/, '//')}` : ''}`;
  }

  async stat(key: string, options: StorageOptions = {}): Promise<StoredObject | null> {
    return this.call(
      async (client) => {
        const found = await client.send(new HeadObjectCommand(this.at(key)), abortable(options));
        return { key, sizeBytes: found.ContentLength ?? NaN };
      },
      options,
      () => null,
    );
  }

  async *list(prefix: string, options: StorageOptions = {}): AsyncIterable<StoredObject> {
    const base = this.fullKey('');
    for (let token: string | undefined; ;) {
      const page = await this.call(
        (client) =>
          client.send(
            new ListObjectsV2Command({
              Bucket: this.settings.bucket,
              Prefix: this.fullKey(prefix),
              ...(token && { ContinuationToken: token }),
            }),
            abortable(options),
          ),
        options,
      );
      for (const { Key, Size } of page.Contents ?? []) {
        if (Key?.startsWith(base)) yield { key: Key.slice(base.length), sizeBytes: Size ?? NaN };
      }
      token = page.NextContinuationToken;
      if (!page.IsTruncated || !token) return;
    }
  }

  async read(key: string, options: StorageOptions & { from?: number } = {}): Promise<Readable | null> {
    const from = options.from ?? 0;
    const range = from > 0 ? { Range: `bytes=${from}-` } : {};
    return this.call(
      async (client) => {
        try {
          const found = await client.send(
            new GetObjectCommand({ ...this.at(key), ...range }),
            abortable(options),
          );
          return found.Body as Readable;
        } catch (error) {
          // Everything had arrived before.
          if ((error as Error).name === 'InvalidRange') return Readable.from([]);
          throw error;
        }
      },
      options,
      () => null,
    );
  }

  async write(
    key: string,
    upload: Upload,
    options: StorageOptions & { onBytes?: (bytes: number) => void } = {},
  ): Promise<void> {
    await this.call(async (client) => {
      if (upload.sizeBytes >= (this.settings.partsFromBytes ?? PARTS_FROM_BYTES)) {
        await uploadInParts(client, this.at(key), upload, options);
        return;
      }
      const small = upload.sizeBytes <= IN_MEMORY_BYTES;
      const Body = small ? await readFile(upload.path) : createReadStream(upload.path);
      await client.send(
        new PutObjectCommand({
          ...this.at(key),
          Body,
          ContentLength: upload.sizeBytes,
          ContentMD5: Buffer.from(upload.md5, 'hex').toString('base64'),
        }),
        abortable(options),
      );
      options.onBytes?.(upload.sizeBytes);
    }, options);
  }

  close(): void {
    void this.connected?.then((client) => client.destroy());
  }

  private fullKey(key: string): string {
    return this.settings.prefix === '' ? key : `${this.settings.prefix}/${key}`;
  }

  private at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.settings.bucket, Key: this.fullKey(key) };
  }

  private async call<T>(
    work: (client: S3Client) => Promise<T>,
    options: StorageOptions,
    absent?: () => T,
  ): Promise<T> {
    try {
      return await work(await (this.connected ??= this.connect()));
    } catch (error) {
      options.signal?.throwIfAborted();
      if (absent && isNotFound(error)) return absent();
      throw asRemoteError(error, this.name);
    }
  }
}

function abortable({ signal }: StorageOptions): { abortSignal?: AbortSignal } {
  return signal ? { abortSignal: signal } : {};
}
