import { RetrainError } from '../contracts/errors';
import { ALIAS, VERSION_TAG } from '../contracts/names';
import { type Mlflow } from '../integrations/mlflow/client';

/** One move of production, with all that follows it. */
export interface ProductionMove {
  model: string;
  /** Production before. */
  from: string | null;
  to: string;
  /** ISO 8601: the time of the ledger's entry, the same in every attempt. */
  at: string;
  /** Tags of the version that goes into production, beside the usual ones. */
  tags: Record<string, string>;
  /** Tags of the one that leaves it. */
  replacedTags: Record<string, string>;
  legacyStages: boolean;
}

/**
 * Tags both versions, then moves stages, `previous-production` and at last `production`, and reads it back. Idempotent: each
 * step may be repeated, and whoever reads `production` sees the version only when all else is done.
 *
 * @throws RetrainError MLFLOW_BUSY when the alias reads otherwise than it was set: somebody else moved it in between
 */
export async function moveProduction(
  { registry }: Mlflow,
  { model, from, to, at, tags, replacedTags, legacyStages }: ProductionMove,
  signal: AbortSignal,
): Promise<void> {
  const promoted = { [VERSION_TAG.promoted]: 'true', [VERSION_TAG.promotedAt]: at };
  await registry.setVersionTags(model, to, { ...promoted, ...tags }, signal);
  if (from !== null && from !== to) await tagReplaced(registry, model, from, { ...replacedTags }, signal);
  if (legacyStages) await registry.transitionStage(model, to, 'Production', signal);
  if (from !== null && from !== to) await previous(registry, model, from, signal);
  await registry.setAlias(model, ALIAS.production, to, signal);
  const now = (await registry.findByAlias(model, ALIAS.production, signal))?.version ?? null;
  if (now === to) return;
  throw new RetrainError(
    'MLFLOW_BUSY',
    `the alias ${ALIAS.production} of ${model} was set to version ${to} and reads ${now}: somebody else moves it, too`,
  );
}

/** The version that was in production may have been deleted since: then nothing of it is left to mark. */
async function tagReplaced(
  registry: Mlflow['registry'],
  model: string,
  version: string,
  tags: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  await unlessGone(() => registry.setVersionTags(model, version, tags, signal));
}

async function previous(
  registry: Mlflow['registry'],
  model: string,
  version: string,
  signal: AbortSignal,
): Promise<void> {
  await unlessGone(() => registry.setAlias(model, ALIAS.previous, version, signal));
}

async function unlessGone(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof RetrainError) || error.code !== 'NOT_FOUND') throw error;
  }
}
