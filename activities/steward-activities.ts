import path from 'node:path';
import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { RetrainError } from '../contracts/errors';
import { ALIAS, VERSION_TAG } from '../contracts/names';
import {
  type LedgerEntry,
  type MoveByHandInput,
  type Settled,
  type StewardActivities,
} from '../contracts/steward';
import { type LedgerDraft, sealEntries } from '../ml/ledger/chain';
import { type ContentStore } from '../integrations/dvc/content-store';
import { type Mlflow } from '../integrations/mlflow/client';
import { LedgerMirror } from '../integrations/mlflow/ledger-mirror';
import { findVersion } from '../integrations/mlflow/registered-run';
import { checkModelFiles } from './check-model-files';
import { withHeartbeat } from './heartbeat';
import { outsideMove } from './outside-move';
import { moveProduction } from './production-move';
import { settleCandidate } from './settle-candidate';

export interface StewardDeps {
  mlflow: Mlflow;
  store: ContentStore;
  scratchDir: string;
  /** Versions are checked with, in PEM, before they are promoted by hand; null: their signatures are not looked at. */
  publicKey: string | null;
}

/** What a fresh steward takes along of a ledger that MLflow has: the rest stays there. */
const RECALLED = 1000;

/**
 * What a model's steward does outside of its workflow, which lets one of the first group run at a time. Entries are
 * sealed here, with the time and the place in the chain that the workflow gives: every attempt makes the same ones.
 */
export function createStewardActivities({
  mlflow,
  store,
  scratchDir,
  publicKey,
}: StewardDeps): StewardActivities {
  const mirror = new LedgerMirror(mlflow);
  const live = async (model: string, signal: AbortSignal): Promise<string | null> =>
    (await mlflow.registry.findByAlias(model, ALIAS.production, signal))?.version ?? null;
  return {
    /** Reads only. */
    async recallLedger({ model }) {
      return withHeartbeat(async (signal) => {
        const { entries = [] } = (await mirror.read(model, RECALLED, signal)) ?? {};
        return { entries, total: (entries.at(-1)?.index ?? -1) + 1 };
      });
    },

    /** Idempotent: `production` moves last, and an attempt that finds it moved has only the entries to make again. */
    async settleCandidate(input) {
      return withHeartbeat(async (signal) =>
        settleCandidate({ mlflow, store }, input, await live(input.position.model, signal), signal),
      );
    },

    /** Idempotent, as above: an attempt that finds the version in production takes the steps again, which changes nothing. */
    async moveByHand(input) {
      const { activityId, attempt, workflowExecution } = Context.current().info;
      const scratch = path.join(scratchDir, `${workflowExecution?.runId}-${activityId}-${attempt}`);
      return withHeartbeat((signal) => moveByHand({ mlflow, publicKey }, input, scratch, live, signal));
    },

    /** Idempotent: writes the same tags again. */
    async closeApproval({ position, event, pending, by, reason }) {
      return withHeartbeat(async (signal) => {
        const { version, pipelineKey, evidence } = pending;
        const production = position.production ?? null;
        const tags = {
          [VERSION_TAG.promotionReason]: reason,
          [VERSION_TAG.ledgerEntry]: String(position.index),
        };
        await mlflow.registry.setVersionTags(position.model, version, tags, signal);
        const draft = { event, by, version, from: production, to: production, reason, evidence, pipelineKey };
        const entries = sealEntries(position, [draft]);
        return { entries, production, answer: entries[0]! };
      });
    },

    /** One look. Fails, to be tried again in a while, as long as production is what the ledger says: that adds nothing to the history. */
    async watchProduction({ model, production }) {
      const now = await live(model, Context.current().cancellationSignal);
      if (now !== production) return { production: now };
      throw ApplicationFailure.create({
        message: `production is version ${now ?? 'none'}, as the ledger says`,
        type: 'UNCHANGED',
        category: ApplicationFailureCategory.BENIGN,
      });
    },

    /** Reads only: enters what it finds, if that is not what the ledger says. */
    async observeProduction({ position }) {
      return withHeartbeat(async (signal) => {
        const now = await live(position.model, signal);
        return { entries: sealEntries(position, outsideMove(position, now)), production: now, answer: null };
      });
    },

    /** Idempotent: files are named by the entries in them. Entries from the last full file on are written again, so that few files hold all. */
    async mirrorLedger({ model, entries }) {
      return withHeartbeat(async (signal) => ({ mirrored: await mirror.append(model, entries, signal) }));
    },
  };
}

async function moveByHand(
  { mlflow, publicKey }: Pick<StewardDeps, 'mlflow' | 'publicKey'>,
  { position, event, version, by, reason, legacyStages, force, evidence, champion }: MoveByHandInput,
  scratch: string,
  live: (model: string, signal: AbortSignal) => Promise<string | null>,
  signal: AbortSignal,
): Promise<Settled<LedgerEntry>> {
  const { model } = position;
  const now = await live(model, signal);
  // An earlier attempt may have moved it: that is no move outside.
  const before = now === version && position.production !== undefined ? position.production : now;
  if (before !== position.production) {
    const entries = sealEntries(position, outsideMove(position, now));
    if (entries.length > 0) return { entries, production: now };
  }
  if (champion !== undefined && before !== champion) throw staleApproval(version, champion, before);
  const target = await findVersion(mlflow, { model, by: { version } }, signal);
  if (event === 'promoted_by_hand' && !force && target.tags[VERSION_TAG.gatePassed] === 'false') {
    throw new RetrainError(
      'PROMOTION_REFUSED',
      `${model} v${version} did not pass its quality gate; promote it all the same with --force`,
    );
  }
  await checkModelFiles(mlflow, target, scratch, signal, publicKey);
  await moveProduction(
    mlflow,
    {
      model,
      from: before,
      to: version,
      at: position.at,
      legacyStages,
      tags: {
        [VERSION_TAG.promotionReason]: `${EVENT_TEXT[event]} ${by}: ${reason}`,
        [VERSION_TAG.ledgerEntry]: String(position.index),
        ...(event === 'approved' ? {} : { [VERSION_TAG.replacedBy]: '', [VERSION_TAG.rolledBack]: '' }),
      },
      replacedTags: {
        [VERSION_TAG.replacedBy]: version,
        ...(event === 'rolled_back' ? { [VERSION_TAG.rolledBack]: `by ${by}: ${reason}` } : {}),
      },
    },
    signal,
  );
  const pipelineKey = target.tags[VERSION_TAG.pipelineKey] ?? null;
  const draft: LedgerDraft = { event, by, version, from: before, to: version, reason, evidence, pipelineKey };
  const entries = sealEntries(position, [draft]);
  return { entries, production: version, answer: entries[0]! };
}

/** How a version's tag begins that says why it is in production. */
const EVENT_TEXT = {
  approved: 'approved by',
  promoted_by_hand: 'promoted by',
  rolled_back: 'rolled back to by',
  put_back: 'put back by',
} as const satisfies Record<MoveByHandInput['event'], string>;

function staleApproval(version: string, champion: string | null, now: string | null): RetrainError {
  return new RetrainError(
    'APPROVAL_STALE',
    `version ${version} was compared with ${champion === null ? 'no production version' : `version ${champion}`}, and production is ${now === null ? 'none' : `version ${now}`} now; start its run again with --force`,
  );
}
