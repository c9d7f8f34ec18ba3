import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { Artifact, Metrics, type StageResult } from '../../contracts/stage';
import { canonicalJson, type Json } from '../../ml/hashing/canonical-json';
import { digestBytes } from '../../ml/hashing/digest';
import { type ContentStore } from '../../integrations/dvc/content-store';
import { readLockFile } from '../../integrations/dvc/lock-file';
import { type ComputeStage } from '../compute-stage';
import { questionOf } from './stage-question';

/** What a stage came to and of what: an output in dvc.yaml, so that DVC moves it along with the others. */
export const StageReceipt = z.object({
  version: z.literal(1),
  stage: z.string(),
  code: z.string(),
  params: z.unknown(),
  /** SHA-256 by the name of the input. */
  inputs: z.record(z.string(), z.string()),
  outputs: z.array(Artifact),
  metrics: Metrics,
});
export type StageReceipt = z.infer<typeof StageReceipt>;

/** File name of a receipt, beside the outputs of its stage. */
export const RECEIPT = 'stage.json';

/** Stores the receipt of a stage; null for a stage that has none. No times and no ids in it: the same stage makes the same bytes. */
export async function storedReceipt(
  store: ContentStore,
  { stage, code, params }: ComputeStage,
  at: { receipt: string | null },
  inputs: Readonly<Record<string, Pick<Artifact, 'sha256'>>>,
  { outputs, metrics }: { outputs: readonly Artifact[]; metrics: Metrics },
): Promise<Artifact | null> {
  if (at.receipt === null) return null;
  const named = Object.fromEntries(Object.entries(inputs).map(([name, { sha256 }]) => [name, sha256]));
  const receipt = { version: 1, stage, code, params, inputs: named, outputs: outputs.map(plain), metrics };
  return store.putBytes(`${canonicalJson(receipt)}\n`, at.receipt);
}

/**
 * The result that a `dvc.lock` of the project has for a stage: `dvc pull` brought its outputs and its receipt into the store.
 * Null when none fits these inputs, params and code, or something is gone.
 */
export async function recordedResult(
  project: string,
  store: ContentStore,
  { work, key }: { work: ComputeStage; key: string },
): Promise<StageResult | null> {
  const stages = await readLockFile(path.join(project, 'dvc.lock')).catch(() => ({}));
  for (const { outs } of Object.values(stages)) {
    const entry = outs.find((out) => path.posix.basename(out.path) === RECEIPT);
    if (entry?.md5 === undefined) continue;
    const receipt = await readReceipt(store, entry.md5);
    if (receipt?.stage !== work.stage || keyOf(work, receipt) !== key) continue;
    const { outputs, metrics } = receipt;
    const there = await Promise.all(outputs.map((output) => store.has(output)));
    if (there.every(Boolean)) return { outputs, metrics, durationMs: 0 };
  }
  return null;
}

/** The key that the receipt is for: its own params, code and inputs, not those that are asked for. */
function keyOf(work: ComputeStage, { params, code, inputs }: StageReceipt): string {
  const named = Object.fromEntries(Object.entries(inputs).map(([name, sha256]) => [name, { sha256 }]));
  return questionOf({ ...work, params: params as Json, code }, named).key;
}

async function readReceipt(store: ContentStore, md5: string): Promise<StageReceipt | null> {
  try {
    const bytes = await readFile(store.pathOf(md5));
    return digestBytes(bytes).md5 === md5 ? StageReceipt.parse(JSON.parse(bytes.toString('utf8'))) : null;
  } catch {
    return null;
  }
}

function plain({ name, sha256, md5, sizeBytes }: Artifact): Json {
  return { name, sha256, md5, sizeBytes };
}
