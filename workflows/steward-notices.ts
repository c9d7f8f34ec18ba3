import { log, workflowInfo } from '@temporalio/workflow';
import { type NoticeKind } from '../contracts/notice';
import { type LedgerEntry, type PendingApproval } from '../contracts/steward';
import { failureReason } from './failure-reason';
import { handToNotifier } from './notices';
import { type StewardBook } from './steward-book';

/** Somebody promoted, approved or rolled back. */
export async function tellMovedByHand(
  book: StewardBook,
  entry: LedgerEntry,
  pending?: PendingApproval,
): Promise<void> {
  const { event, version, from, by, reason } = entry;
  log.info('production moved', { event, version, from, by, reason });
  const named = `${book.model} v${version}`;
  const rolledBack = entry.event === 'rolled_back';
  const instead = entry.from === null ? '' : ` in place of v${entry.from}`;
  await tell(book, entry, {
    kind: rolledBack ? 'rollback' : 'promotion',
    title: rolledBack ? `${book.model} was rolled back to v${entry.version}` : `${named} is in production`,
    text: `${DONE[entry.event] ?? 'Moved'} by ${entry.by}${instead}: ${entry.reason}`,
    ...(pending === undefined ? {} : { pending }),
  });
}

const DONE: Partial<Record<LedgerEntry['event'], string>> = {
  approved: 'Approved',
  promoted_by_hand: 'Promoted',
  rolled_back: 'Rolled back',
};

export async function tellExpired(
  book: StewardBook,
  entry: LedgerEntry,
  pending: PendingApproval,
): Promise<void> {
  await tell(book, entry, {
    kind: 'approval_expired',
    title: `The approval of ${book.model} v${entry.version} has expired`,
    text: 'Nobody approved it in time. It stays in staging; production is unchanged.',
    pending,
  });
}

export async function tellOutsideMove(
  book: StewardBook,
  entry: LedgerEntry,
  restores: boolean,
): Promise<void> {
  log.warn('production moved outside of the steward', { from: entry.from, to: entry.to, restores });
  const next = restores ? 'It is being put back.' : 'It was accepted.';
  await tell(book, entry, {
    kind: 'outside_move',
    title: `Production of ${book.model} was moved outside of the steward`,
    text: `From version ${entry.from ?? 'none'} to ${entry.to ?? 'none'}, in MLflow itself. ${next}`,
  });
}

interface Telling {
  kind: NoticeKind;
  title: string;
  text: string;
  pending?: PendingApproval;
}

/** What a notice cannot be handed over for must not keep the steward from its work. */
async function tell(
  book: StewardBook,
  entry: LedgerEntry,
  { kind, title, text, pending }: Telling,
): Promise<void> {
  const { policy } = book.state;
  if (policy !== null && !policy.notifyOn.includes(kind)) return;
  const { workflowId, runId } = workflowInfo();
  try {
    await handToNotifier({
      id: `${workflowId}-${entry.index}-${kind}`,
      ...{ kind, title, text, workflowId },
      model: book.model,
      pipelineKey: entry.pipelineKey ?? '',
      workflowRunId: runId,
      reason: entry.reason,
      links: {},
      at: entry.at,
      ...(entry.version === null ? {} : { modelVersion: entry.version }),
      ...(pending === undefined
        ? {}
        : { mlflowRunId: pending.mlflowRunId, mlflowExperimentId: pending.mlflowExperimentId }),
      ...(pending?.evidencePack === undefined ? {} : { evidence: pending.evidencePack }),
    });
  } catch (error) {
    log.error('notice not handed over', { kind, reason: failureReason(error) });
  }
}
