import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseBounded } from '../../contracts/bounded-json';
import { Artifact, Metrics, type StageResult } from '../../contracts/stage';
import { canonicalJson, type Json } from '../../ml/hashing/canonical-json';
import type { ObjectStorage } from '../../integrations/files/object-storage';
import { retryUnreachable } from '../../integrations/files/retry-unreachable';
import { writeAtomically } from '../../integrations/files/atomic-write';
import type { ContentStore } from '../../integrations/dvc/content-store';
import { pull } from '../../integrations/dvc/pull';
import { push } from '../../integrations/dvc/push';
import type { TransferOptions } from '../../integrations/dvc/transfer';

const MOST_ENTRY_BYTES = 4 << 20;

/** All that a stage’s outputs depend on. */
export interface StageIdentity {
  stage: string;
  /** As the stage gets them. */
  params: Json;
  /** SHA-256 of the stage’s code, or a digest of its image. */
  code: string;
  inputs: Readonly<Record<string, Pick<Artifact, 'sha256'>>>;
  /** Names of the outputs that are asked for. */
  outputs: readonly string[];
}

const Entry = z.object({
  version: z.literal(1),
  outputs: z.array(Artifact),
  metrics: Metrics,
  durationMs: z.number(),
  /** For people, and for saying why a stage has to run: what the key was made of. */
  of: z.object({
    stage: z.string(),
    code: z.string(),
    params: z.unknown(),
    inputs: z.record(z.string(), z.string()),
  }),
});
type Entry = z.infer<typeof Entry>;

/** Name of a stage with these inputs, params and code, whoever runs it, wherever: 64 hex digits. */
export function stageKey({ stage, params, code, inputs, outputs }: StageIdentity): string {
  const named = Object.fromEntries(Object.entries(inputs).map(([name, { sha256 }]) => [name, sha256]));
  const identity = { stage, params, code, inputs: named, outputs: [...outputs].sort() };
  return createHash('sha256').update(canonicalJson(identity)).digest('hex');
}

/**
 * Remembers what stages came to, by all that they depend on: one small JSON file per result beside the objects, at
 * `<cache>/retrain/stages/<2>/<key>.json`, and on a remote under the same path. Not in DVC’s run cache, whose entries hold neither
 * metrics nor SHA-256 nor the code; `dvc repro` goes by `dvc.lock`, which is written after a run.
 *
 * Entries are written as a whole; an unreadable one, or one whose outputs are gone, is a miss.
 */
export class StageCache {
  constructor(private readonly store: ContentStore) {}

  /** The result of an earlier run, if all of its outputs are still in the store. */
  async find(key: string): Promise<StageResult | null> {
    const entry = await this.entry(key);
    if (!entry) return null;
    for (const output of entry.outputs) if (!(await this.store.has(output))) return null;
    return resultOf(entry);
  }

  /** Call it after the outputs are in the store. */
  async save(identity: StageIdentity, result: StageResult): Promise<void> {
    const { stage, code, params, inputs } = identity;
    const { outputs, metrics, durationMs } = result;
    const named = Object.fromEntries(Object.entries(inputs).map(([name, { sha256 }]) => [name, sha256]));
    const entry: Entry = {
      version: 1,
      outputs,
      metrics,
      durationMs,
      of: { stage, code, params, inputs: named },
    };
    await this.write(stageKey(identity), `${JSON.stringify(entry)}\n`);
  }

  /** Brings a result to a remote, outputs first. Nothing happens when there is no such result. */
  async share(key: string, remote: ObjectStorage, options: TransferOptions = {}): Promise<void> {
    const entry = await this.entry(key);
    if (!entry) return;
    await push(this.store, remote, entry.outputs, options);
    const path = this.pathOf(key);
    const bytes = await readFile(path);
    const md5 = createHash('md5').update(bytes).digest('hex');
    const signal = options.signal && { signal: options.signal };
    await retryUnreachable(
      () => remote.write(remoteKey(key), { path, sizeBytes: bytes.length, md5 }, { ...signal }),
      {
        ...signal,
      },
    );
  }

  /**
   * `find`, and where that fails the remote is asked: its result and outputs are fetched. Null when it has none.
   *
   * @throws RetrainError as `pull` does
   */
  async fetch(
    key: string,
    remote: ObjectStorage,
    options: TransferOptions = {},
  ): Promise<StageResult | null> {
    const there = await this.find(key);
    if (there) return there;
    const signal = options.signal && { signal: options.signal };
    const bytes = await retryUnreachable(
      async () => {
        const body = await remote.read(remoteKey(key), { ...signal });
        return body && (await smallBody(body));
      },
      { ...signal },
    );
    const entry = bytes && parse(bytes.toString('utf8'));
    if (!entry) return null;
    await pull(this.store, remote, entry.outputs, options);
    await this.write(key, bytes.toString('utf8'));
    return resultOf(entry);
  }

  private pathOf(key: string): string {
    return join(this.store.cacheDir, ...remoteKey(key).split('/'));
  }

  private async entry(key: string): Promise<Entry | null> {
    try {
      return parse(await readFile(this.pathOf(key), 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  private async write(key: string, text: string): Promise<void> {
    await writeAtomically(this.pathOf(key), text);
  }
}

/** What others share may be anything: an entry is a page of JSON; of something larger no more is taken. */
async function smallBody(body: AsyncIterable<Uint8Array>): Promise<Buffer | null> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > MOST_ENTRY_BYTES) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function remoteKey(key: string): string {
  return `retrain/stages/${key.slice(0, 2)}/${key}.json`;
}

function parse(text: string): Entry | null {
  try {
    return Entry.parse(parseBounded(text, 'a shared result'));
  } catch {
    return null;
  }
}

function resultOf({ outputs, metrics, durationMs }: Entry): StageResult {
  return { outputs, metrics, durationMs };
}
