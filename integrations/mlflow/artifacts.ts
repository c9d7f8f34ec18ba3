import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { below, proxyPath } from './artifact-path';
import { MlflowError } from './errors';
import type { MlflowTransport } from './transport';

const Listing = z.looseObject({
  files: z
    .array(
      z.looseObject({
        path: z.string(),
        is_dir: z.boolean().default(false),
        file_size: z.coerce.number().default(0),
      }),
    )
    .default([]),
});

const PROXY = '/api/2.0/mlflow-artifacts/artifacts';

export interface ArtifactEntry {
  /** Relative to the listed folder, with `/`. */
  path: string;
  isDirectory: boolean;
  /** 0 for folders. */
  sizeBytes: number;
}

/**
 * Files of runs and models, through the server’s own proxy (`mlflow-artifacts:` URIs). An upload replaces what is there,
 * so each may be repeated.
 */
export class Artifacts {
  constructor(private readonly transport: MlflowTransport) {}

  /** @param root artifact URI of a run or model @param path below it */
  async uploadBytes(root: string, path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.transport.put(address(root, path), () => bytes, bytes.byteLength, { signal });
  }

  /** Streams a file of any size. */
  async uploadFile(root: string, path: string, file: string, signal?: AbortSignal): Promise<void> {
    const { size } = await stat(file);
    const open = (): Uint8Array | ReturnType<typeof createReadStream> =>
      size === 0 ? new Uint8Array() : createReadStream(file);
    await this.transport.put(address(root, path), open, size, { signal });
  }

  /** What is directly in a folder. An absent folder is empty: object stores know no folders. */
  async list(root: string, path = '', signal?: AbortSignal): Promise<ArtifactEntry[]> {
    const query = { path: below(proxyPath(root), path) };
    const reply = await this.transport.call('GET', PROXY, query, undefined, Listing, { signal });
    return reply.files.map((file) => ({
      path: baseName(file.path),
      isDirectory: file.is_dir,
      sizeBytes: file.is_dir ? 0 : file.file_size,
    }));
  }

  /** All files below a folder, by path in code-point order. */
  async listFiles(root: string, path = '', signal?: AbortSignal): Promise<ArtifactEntry[]> {
    const files: ArtifactEntry[] = [];
    for (const entry of await this.list(root, path, signal)) {
      if (!entry.isDirectory) files.push(entry);
      else {
        const inner = await this.listFiles(root, below(path, entry.path), signal);
        files.push(...inner.map((file) => ({ ...file, path: `${entry.path}/${file.path}` })));
      }
    }
    return files.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  }

  /** @throws RetrainError NOT_FOUND */
  async downloadBytes(root: string, path: string, signal?: AbortSignal): Promise<Uint8Array> {
    return this.transport.read(
      address(root, path),
      async (body, sizeBytes) => whole(await buffer(body), sizeBytes, path),
      { signal },
    );
  }

  /** Streams into a file, which appears whole or not at all. @throws RetrainError NOT_FOUND */
  async downloadFile(root: string, path: string, file: string, signal?: AbortSignal): Promise<void> {
    await mkdir(dirname(file), { recursive: true });
    const part = `${file}.${randomUUID()}.part`;
    try {
      await this.transport.read(
        address(root, path),
        async (body, sizeBytes) => {
          await pipeline(body, createWriteStream(part));
          complete((await stat(part)).size, sizeBytes, path);
        },
        { signal },
      );
      await rename(part, file);
    } finally {
      await rm(part, { force: true });
    }
  }

  /** Every file below a folder, into a directory. @returns their relative paths */
  async downloadFolder(
    root: string,
    path: string,
    directory: string,
    signal?: AbortSignal,
  ): Promise<string[]> {
    const files = await this.listFiles(root, path, signal);
    for (const file of files) {
      await this.downloadFile(root, below(path, file.path), join(directory, file.path), signal);
    }
    return files.map((file) => file.path);
  }
}

function address(root: string, path: string): string {
  const encoded = below(proxyPath(root), path).split('/').map(encodeURIComponent).join('/');
  return `${PROXY}/${encoded}`;
}

/** Old servers list whole paths, new ones names. Never more than a name is taken: it becomes a file name here. */
function baseName(path: string): string {
  const name = path.split(/[/\\]/).at(-1) ?? '';
  if (name === '' || name === '.' || name === '..') {
    throw new MlflowError(
      'MLFLOW_REFUSED',
      `MLflow lists an artifact named "${path}", expected a file name`,
      {},
    );
  }
  return name;
}

function whole(bytes: Uint8Array, expected: number | undefined, path: string): Uint8Array {
  complete(bytes.byteLength, expected, path);
  return bytes;
}

function complete(got: number, expected: number | undefined, path: string): void {
  if (expected === undefined || got === expected) return;
  throw new MlflowError(
    'MLFLOW_UNREACHABLE',
    `the download of ${path} ended after ${got} of ${expected} bytes; look at the server’s log`,
    {},
  );
}
