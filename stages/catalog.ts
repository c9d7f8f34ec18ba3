import { listed, RetrainError } from '../contracts/errors';
import { type Stage } from './stage';

/** The built-in stages. Loaded on first use: a process that only trains does not load onnxruntime. */
const CATALOG: Record<string, () => Promise<Stage>> = {
  preprocess: async () => (await import('./preprocess.js')).preprocess,
  train: async () => (await import('./train.js')).train,
  evaluate: async () => (await import('./evaluate.js')).evaluate,
  // Of no run: what a registered model is scored on again.
  unseen: async () => (await import('./unseen.js')).unseen,
};

export const STAGE_NAMES: readonly string[] = Object.keys(CATALOG);

/** @throws RetrainError USAGE for a name that is none. */
export async function stageFor(name: string): Promise<Stage> {
  const load = CATALOG[name];
  if (load === undefined) {
    throw new RetrainError('USAGE', `there is no stage ${name}, expected one of ${listed(STAGE_NAMES)}`);
  }
  return load();
}
