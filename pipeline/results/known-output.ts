import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { Artifact } from '../../contracts/stage';
import { type ContentStore } from '../../integrations/dvc/content-store';

const Outputs = z.object({ outputs: z.array(Artifact) });

/** Entries that are looked through at most. */
const MOST_ENTRIES = 20_000;

/**
 * The outputs of a stage of which one has this name and SHA-256, by what the store remembers of results, whatever params and code they had;
 * null when none is there with its files. The last resort where the question cannot be asked again: it reads every entry.
 */
export async function knownOutputs(
  store: ContentStore,
  { name, sha256 }: Pick<Artifact, 'name' | 'sha256'>,
): Promise<Artifact[] | null> {
  const root = path.join(store.cacheDir, 'retrain', 'stages');
  const entries = await readdir(root, { recursive: true }).catch(() => []);
  for (const entry of entries.filter((one) => one.endsWith('.json')).slice(0, MOST_ENTRIES)) {
    const outputs = await outputsOf(path.join(root, entry));
    const wanted = outputs.find((output) => output.name === name && output.sha256 === sha256);
    if (wanted !== undefined && (await store.has(wanted))) return outputs;
  }
  return null;
}

async function outputsOf(file: string): Promise<Artifact[]> {
  try {
    return Outputs.parse(JSON.parse(await readFile(file, 'utf8'))).outputs;
  } catch {
    // Of another version, or half removed: no result.
    return [];
  }
}
