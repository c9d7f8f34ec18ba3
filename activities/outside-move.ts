import { ALIAS } from '../contracts/names';
import { type LedgerPosition } from '../contracts/steward';
import { type LedgerDraft } from '../ml/ledger/chain';

/** An entry for a production that is not what the ledger says; none when it is. */
export function outsideMove(position: LedgerPosition, now: string | null): LedgerDraft[] {
  const { production } = position;
  if (production === now) return [];
  if (production === undefined && now === null) return [];
  const entry = {
    by: 'unknown',
    version: now,
    from: production ?? null,
    to: now,
    evidence: null,
    pipelineKey: null,
  };
  return production === undefined
    ? [{ ...entry, event: 'found', reason: 'it was in production when the steward began' }]
    : [
        {
          ...entry,
          event: 'moved_outside',
          reason: `the alias ${ALIAS.production} was moved in MLflow itself, not through the steward`,
        },
      ];
}
