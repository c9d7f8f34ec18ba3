import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { RetrainError } from '../../contracts/errors';
import { writeAtomically } from '../../integrations/files/atomic-write';
import { type Mlflow } from '../../integrations/mlflow/client';
import { type ModelReference } from '../../integrations/mlflow/registered-run';
import { type ModelVersion } from '../../integrations/mlflow/registry-record';

/** A copy of a version's directory on this machine; it never changes. */
export interface KeptCopy {
  /** The model directory, absolute. */
  dir: string;
  version: string;
  /** Null: it came from no run. */
  mlflowRunId: string | null;
  /** Whether it came just now. */
  brought: boolean;
}

/** What a reference meant when it was last found good. */
const Pointer = z.object({ copy: z.string(), version: z.string(), mlflowRunId: z.string().nullable() });

/** Copies that nothing points to any more are kept while they are so young: somebody may be reading them. */
const YOUNG_MS = 60 * 60 * 1000;

const PART = '.part-';

/**
 * Copies of registered models below one folder: a folder for each model, in it one for each version, and beside them, for each alias or
 * version that was asked for, which copy was last found good. A copy appears as a whole; what is found bad is never pointed to.
 */
export class ModelCopies {
  /** @param dir absolute */
  constructor(private readonly dir: string) {}

  /** The copy that a reference last stood for; null: there is none. */
  async last(reference: ModelReference): Promise<KeptCopy | null> {
    const text = await readFile(this.pointer(reference), 'utf8').catch(() => null);
    if (text === null) return null;
    try {
      const { copy, version, mlflowRunId } = Pointer.parse(JSON.parse(text));
      const dir = path.join(this.folder(reference.model), path.basename(copy), 'model');
      return existsSync(dir) ? { dir, version, mlflowRunId, brought: false } : null;
    } catch {
      return null;
    }
  }

  /** Brings a version here, unless it is here already. */
  async bring(mlflow: Mlflow, version: ModelVersion, signal: AbortSignal): Promise<KeptCopy> {
    const folder = this.folder(version.name);
    const copy = path.join(folder, copyName(version));
    const kept = {
      dir: path.join(copy, 'model'),
      version: version.version,
      mlflowRunId: version.runId || null,
      brought: true,
    };
    if (existsSync(kept.dir)) return { ...kept, brought: false };
    const part = path.join(folder, `${PART}${randomUUID()}`);
    try {
      const root = await mlflow.resolveSource(version.source, signal);
      await mkdir(part, { recursive: true });
      await mlflow.artifacts.downloadFolder(root, '', path.join(part, 'model'), signal);
      if (!existsSync(path.join(part, 'model'))) {
        throw new RetrainError(
          'NOT_FOUND',
          `${version.name} v${version.version} has no files at ${version.source}; register it again`,
        );
      }
      await this.bringMetadata(mlflow, version, part, signal);
      await rename(part, copy).catch((error: unknown) => {
        // Another process was quicker.
        if (!existsSync(kept.dir)) throw error;
      });
      return kept;
    } finally {
      await rm(part, { recursive: true, force: true });
    }
  }

  /** Notes that a reference stands for this copy, and lets old ones go. */
  async keep(reference: ModelReference, copy: KeptCopy): Promise<void> {
    const name = path.basename(path.dirname(copy.dir));
    const pointer = { copy: name, version: copy.version, mlflowRunId: copy.mlflowRunId };
    await writeAtomically(this.pointer(reference), `${JSON.stringify(pointer)}\n`);
    await this.prune(reference.model);
  }

  /** Lets a copy go that was found bad, so that it is fetched anew. */
  async drop(copy: KeptCopy): Promise<void> {
    await rm(path.dirname(copy.dir), { recursive: true, force: true });
  }

  /** `model_metadata.json` of the run, beside the model: it tells the cut-off of models whose directory does not. */
  private async bringMetadata(
    mlflow: Mlflow,
    { runId }: ModelVersion,
    part: string,
    signal: AbortSignal,
  ): Promise<void> {
    if (runId === '') return;
    try {
      const { artifactUri } = await mlflow.runs.get(runId, signal);
      const file = path.join(part, METADATA);
      await mlflow.artifacts.downloadFile(artifactUri, METADATA, file, signal);
    } catch (error) {
      // A run of another program has none, and a run may be gone.
      if (!(error instanceof RetrainError) || error.code === 'MLFLOW_UNREACHABLE') throw error;
    }
  }

  private async prune(model: string): Promise<void> {
    const folder = this.folder(model);
    const entries = await readdir(folder);
    const pointers = entries.filter((entry) => entry.endsWith('.json'));
    const texts = await Promise.all(
      pointers.map((entry) => readFile(path.join(folder, entry), 'utf8').catch(() => '')),
    );
    for (const entry of entries.filter((one) => !one.endsWith('.json'))) {
      if (texts.some((text) => text.includes(JSON.stringify(entry)))) continue;
      const info = await stat(path.join(folder, entry)).catch(() => null);
      if (info === null || Date.now() - info.mtimeMs < YOUNG_MS) continue;
      await rm(path.join(folder, entry), { recursive: true, force: true });
    }
  }

  private folder(model: string): string {
    return path.join(this.dir, `model-${encodeURIComponent(model)}`);
  }

  private pointer({ model, by }: ModelReference): string {
    const which = 'alias' in by ? `alias-${encodeURIComponent(by.alias)}` : `version-${by.version}`;
    return path.join(this.folder(model), `${which}.json`);
  }
}

/** In the folder that holds `model`. */
export const METADATA = 'model_metadata.json';

/** Another run or source under the same number, as of a registry that began anew, is another copy. */
function copyName({ version, runId, source }: ModelVersion): string {
  const identity = createHash('sha256').update(`${runId}\n${source}`).digest('hex').slice(0, 12);
  return `v${version}-${identity}`;
}
