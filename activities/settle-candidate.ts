import { ALIAS, VERSION_TAG } from '../contracts/names';
import { ARTIFACT } from '../contracts/stage';
import {
  type CandidateAnswer,
  type LedgerPosition,
  type SettleCandidateInput,
  type Settled,
} from '../contracts/steward';
import { type PromotionDecision } from '../ml/gate/decide-promotion';
import { type LedgerDraft, sealEntries } from '../ml/ledger/chain';
import { type ContentStore } from '../integrations/dvc/content-store';
import { type Mlflow } from '../integrations/mlflow/client';
import { comparisonTags, decideCandidate } from './decide-candidate';
import { endingWithWords } from './last-attempt';
import { outsideMove } from './outside-move';
import { moveProduction } from './production-move';

interface CandidateDeps {
  mlflow: Mlflow;
  store: ContentStore;
}

type Decided = Omit<PromotionDecision, 'outcome'> & {
  outcome: PromotionDecision['outcome'] | 'awaiting_approval';
};

/**
 * Decides on a candidate against what is production now, and carries it out: tags and stages, then `previous-production`,
 * then `production`, which is read back. When production is not the champion that the candidate was scored against, nothing
 * moves: the answer is `stale`.
 *
 * Idempotent: an attempt that finds the candidate in production was there before, and only makes its entries again.
 *
 * @param live what is production now
 */
export async function settleCandidate(
  { mlflow, store }: CandidateDeps,
  { ask, position, barred }: SettleCandidateInput,
  live: string | null,
  signal: AbortSignal,
): Promise<Settled<CandidateAnswer>> {
  const { modelVersion, championVersion } = ask;
  const isThere = live === modelVersion;
  const expected = position.production === undefined || position.production === championVersion;
  const before = isThere && expected ? championVersion : live;
  const seen = outsideMove(position, before);
  // A production that the ledger did not expect is entered before anything else is decided.
  if (seen.length > 0 && position.production !== undefined) {
    return { entries: sealEntries(position, seen), production: before };
  }
  if (before === modelVersion) {
    const { gate, comparison } = await decisionOn(store, ask);
    const reason = 'it is in production already: somebody put it there while it was compared';
    const output = {
      stale: false,
      outcome: 'promoted',
      alias: ALIAS.production,
      reason,
      gate,
      comparison,
    } as const;
    return { entries: sealEntries(position, seen), production: before, answer: { output, evidence: null } };
  }
  if (before !== championVersion) {
    const output = { stale: true, championVersion: before } as const;
    return { entries: sealEntries(position, seen), production: before, answer: { output, evidence: null } };
  }
  const decided = withPolicy(await decisionOn(store, ask), ask.spec.params.promote.approval, barred);
  const waits = decided.outcome === 'awaiting_approval';
  const evaluation = ask.evaluated.artifacts[ARTIFACT.evaluation]?.sha256 ?? null;
  const evidence = waits ? (ask.evidence ?? evaluation) : evaluation;
  const after = decided.outcome === 'promoted' ? modelVersion : before;
  const draft: LedgerDraft = {
    event: decided.outcome,
    by: ask.workflowId,
    version: modelVersion,
    from: before,
    to: after,
    reason: decided.reason,
    evidence,
    pipelineKey: ask.spec.pipelineKey,
  };
  const entries = sealEntries(position, [...seen, draft]);
  await carryOut(
    mlflow,
    { ask, before, decided, entry: position.index + seen.length, at: position.at },
    signal,
  );
  const pack = waits && ask.evidence !== undefined ? { evidence: ask.evidence } : {};
  const output = { stale: false, ...decided, ...pack } as const;
  return { entries, production: after, answer: { output, evidence } };
}

/** The run's own worker has decided, as it has the evaluation; see `DecideInput.decision`. */
async function decisionOn(store: ContentStore, ask: SettleCandidateInput['ask']): Promise<PromotionDecision> {
  return (
    ask.decision ??
    endingWithWords(`the evaluation of version ${ask.modelVersion}`, () => decideCandidate(store, ask))
  );
}

/** A winner that was rolled back stays where it is; one that must be approved waits. */
function withPolicy(
  decision: PromotionDecision,
  approval: 'none' | 'required',
  barred: string | null,
): Decided {
  if (decision.outcome !== 'promoted') return decision;
  const staged = { ...decision, alias: ALIAS.staging };
  if (barred !== null) return { ...staged, outcome: 'staged', reason: `${decision.reason}, but ${barred}` };
  if (approval === 'none') return decision;
  return { ...staged, outcome: 'awaiting_approval', reason: `${decision.reason}; it waits for approval` };
}

interface Outcome {
  ask: SettleCandidateInput['ask'];
  before: LedgerPosition['production'];
  decided: Decided;
  /** Number of the entry about it. */
  entry: number;
  /** Its time, ISO 8601. */
  at: string;
}

async function carryOut(
  mlflow: Mlflow,
  { ask, before = null, decided, entry, at }: Outcome,
  signal: AbortSignal,
): Promise<void> {
  const { registry } = mlflow;
  const { modelVersion, spec } = ask;
  const { model, promote } = spec.params;
  const legacyStages = promote.legacy_stages;
  const tags = {
    [VERSION_TAG.promotionReason]: decided.reason,
    [VERSION_TAG.gatePassed]: String(decided.gate.every(({ passed }) => passed)),
    [VERSION_TAG.ledgerEntry]: String(entry),
    ...comparisonTags(decided.comparison, before),
  };
  if (decided.alias === ALIAS.production) {
    const replacedTags = { [VERSION_TAG.replacedBy]: modelVersion };
    const move = { model, from: before, to: modelVersion, at, tags, replacedTags, legacyStages };
    await moveProduction(mlflow, move, signal);
    return;
  }
  await registry.setVersionTags(model, modelVersion, { [VERSION_TAG.promoted]: 'false', ...tags }, signal);
  if (decided.alias === null) return;
  if (legacyStages) await registry.transitionStage(model, modelVersion, 'Staging', signal);
  await registry.setAlias(model, decided.alias, modelVersion, signal);
}
