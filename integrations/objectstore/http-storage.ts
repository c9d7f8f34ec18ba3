import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { Agent, request, type Dispatcher } from 'undici';
import { RetrainError } from '../../contracts/errors';
import type { StorageOptions, ObjectStorage, StoredObject, Upload } from '../files/object-storage';

export interface HttpStorageSettings {
  /** `https://dagshub.com/team/project.dvc` */
  url: string;
  /** Sent with every request: `authorization`, or a header of the server’s own. */
  headers?: Record<string, string>;
  /** Method of an upload. Default POST, as in DVC. */
  method?: 'POST' | 'PUT';
  /** False: any certificate will do. Default true. */
  verifyTls?: boolean;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Between two packets; a big object may take as long as it takes. */
const IDLE_TIMEOUT_MS = 60_000;

/** A web server that serves objects at `<url>/<key>` and takes them there: DVC’s `http(s)://` remotes, DagsHub’s among them. */
export class HttpStorage implements ObjectStorage {
  private readonly agent: Agent;
  private readonly base: string;

  constructor(private readonly settings: HttpStorageSettings) {
    this.base = settings.url.replace(/\/+$/, '');
    this.agent = new Agent({
      connect: { timeout: CONNECT_TIMEOUT_MS, rejectUnauthorized: settings.verifyTls ?? true },
      headersTimeout: IDLE_TIMEOUT_MS,
      bodyTimeout: IDLE_TIMEOUT_MS,
    });
  }

  get name(): string {
    return this.base.replace(/\/\/[^/]*@/, '//');
  }

  async stat(key: string, options: StorageOptions = {}): Promise<StoredObject | null> {
    const response = await this.send('HEAD', key, options);
    await response.body.dump();
    if (response.statusCode === 404) return null;
    this.refuseFailure('HEAD', key, response, '');
    return { key, sizeBytes: Number(response.headers['content-length'] ?? NaN) };
  }

  list(): null {
    return null;
  }

  async read(key: string, options: StorageOptions & { from?: number } = {}): Promise<Readable | null> {
    const from = options.from ?? 0;
    const response = await this.send('GET', key, options, from > 0 ? { range: `bytes=${from}-` } : {});
    if (response.statusCode === 404) {
      await response.body.dump();
      return null;
    }
    if (response.statusCode === 416) {
      // Everything had arrived before.
      await response.body.dump();
      return Readable.from([]);
    }
    if (response.statusCode >= 300) this.refuseFailure('GET', key, response, await response.body.text());
    // A server without ranges sends all of it again.
    return from > 0 && response.statusCode === 200 ? skipped(response.body, from) : response.body;
  }

  async write(
    key: string,
    upload: Upload,
    options: StorageOptions & { onBytes?: (bytes: number) => void } = {},
  ): Promise<void> {
    const method = this.settings.method ?? 'POST';
    const body = createReadStream(upload.path);
    body.on('data', (chunk) => options.onBytes?.(chunk.length));
    const response = await this.send(
      method,
      key,
      options,
      {
        'content-length': String(upload.sizeBytes),
        'content-md5': Buffer.from(upload.md5, 'hex').toString('base64'),
        'content-type': 'application/octet-stream',
      },
      body,
    );
    this.refuseFailure(method, key, response, await response.body.text());
  }

  close(): void {
    void this.agent.destroy();
  }

  private async send(
    method: 'GET' | 'HEAD' | 'POST' | 'PUT',
    key: string,
    options: StorageOptions,
    headers: Record<string, string> = {},
    body?: Readable,
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await request(`${this.base}/${key}`, {
        method,
        headers: { ...this.settings.headers, ...headers },
        dispatcher: this.agent,
        ...(body && { body }),
        ...(options.signal && { signal: options.signal }),
      });
    } catch (cause) {
      options.signal?.throwIfAborted();
      throw new RetrainError(
        'REMOTE_UNREACHABLE',
        `${method} ${this.name}/${key}: ${(cause as Error).message}; check the address of the remote and the network`,
        { cause },
      );
    }
  }

  private refuseFailure(method: string, key: string, response: Dispatcher.ResponseData, text: string): void {
    const { statusCode } = response;
    if (statusCode < 300) return;
    const said = text.trim().slice(0, 200).replace(/\s+/g, ' ');
    const what = `${method} ${this.name}/${key}: ${statusCode}${said === '' ? '' : ` ${said}`}`;
    if (statusCode === 429 || statusCode >= 500) throw new RetrainError('REMOTE_UNREACHABLE', what);
    const hint =
      statusCode === 401 || statusCode === 403
        ? 'check user and password of the remote (.dvc/config.local)'
        : 'check the url of the remote';
    throw new RetrainError('REMOTE_REFUSED', `${what}; ${hint}`);
  }
}

/** What comes after the first bytes. */
function skipped(body: Readable, bytes: number): Readable {
  return Readable.from(
    (async function* () {
      let left = bytes;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        if (chunk.length > left) yield chunk.subarray(left);
        left = Math.max(0, left - chunk.length);
      }
    })(),
  );
}
