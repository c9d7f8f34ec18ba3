import { createHash } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { isAlive } from '../../integrations/files/process-alive';
import { syncFolder } from '../../integrations/files/sync-folder';
import { type Sink } from './out-column';

export type OutFormat = 'parquet' | 'csv' | 'json-lines';

/** @throws RetrainError USAGE for an ending that is none of a format */
export function formatOf(out: string): OutFormat {
  const ending = path.extname(out).toLowerCase();
  if (ending === '.parquet' || ending === '.pq') return 'parquet';
  if (ending === '.csv') return 'csv';
  if (ending === '.jsonl' || ending === '.ndjson') return 'json-lines';
  throw new RetrainError(
    'USAGE',
    `--out ${out}: ends with ${ending === '' ? 'nothing' : ending}, which tells no format; expected .parquet, .csv or .jsonl`,
  );
}

/** A file that appears under its name as a whole, or not at all. */
export class OutFile {
  private readonly hash = createHash('sha256');
  sizeBytes = 0;

  private constructor(
    private readonly out: string,
    private readonly part: string,
    private readonly handle: FileHandle,
  ) {}

  /** Begins it beside its place, and takes away what processes that are gone have left there. */
  static async begin(out: string): Promise<OutFile> {
    await sweep(out);
    const part = `${out}.${process.pid}${PART}`;
    try {
      return new OutFile(out, part, await open(part, 'w'));
    } catch (cause) {
      throw new RetrainError(
        'USAGE',
        `--out ${out}: cannot be written there: ${(cause as Error).message}; name a file in a folder that is there`,
        { cause },
      );
    }
  }

  readonly sink: Sink = async (bytes) => {
    this.hash.update(bytes);
    for (let at = 0; at < bytes.byteLength;) {
      const { bytesWritten } = await this.handle.write(bytes, at).catch(full);
      at += bytesWritten;
    }
    this.sizeBytes += bytes.byteLength;
  };

  /** @returns SHA-256 */
  async finish(): Promise<string> {
    await this.handle.sync();
    await this.handle.close();
    await rename(this.part, this.out);
    await syncFolder(path.dirname(this.out));
    return this.hash.digest('hex');
  }

  async drop(): Promise<void> {
    await this.handle.close().catch(() => undefined);
    await rm(this.part, { force: true });
  }
}

const PART = '.part';

async function sweep(out: string): Promise<void> {
  const folder = path.dirname(out);
  const mine = `${path.basename(out)}.`;
  for (const entry of await readdir(folder).catch(() => [])) {
    if (!entry.startsWith(mine) || !entry.endsWith(PART)) continue;
    const pid = entry.slice(mine.length, -PART.length);
    if (/^\d+$/.test(pid) && !isAlive(Number(pid))) await rm(path.join(folder, entry), { force: true });
  }
}

function full(error: unknown): never {
  if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  throw new RetrainError(
    'DISK_FULL',
    'the disk that the answers are written to is full; make room, then repeat',
    {
      cause: error,
    },
  );
}
