import { type LedgerEntry, type LedgerEvent } from '../../contracts/steward';
import { aligned, paint } from '../terminal/screen';

const WORD: Record<LedgerEvent, string> = {
  found: 'found',
  promoted: 'promoted',
  staged: 'staged',
  gate_failed: 'gate failed',
  awaiting_approval: 'waits for approval',
  approved: 'approved',
  rejected: 'rejected',
  expired: 'approval expired',
  promoted_by_hand: 'promoted by hand',
  rolled_back: 'rolled back',
  moved_outside: 'moved outside',
  put_back: 'put back',
};

const HEADER = ['WHEN (UTC)', 'VERSION', 'WHAT', 'PRODUCTION', 'BY', 'REASON'].map((title) =>
  paint.dim(title),
);

/** A ledger as a table, newest first. */
export function historyLines(entries: readonly LedgerEntry[]): string[] {
  return aligned([HEADER, ...[...entries].reverse().map(cells)]);
}

function cells({ at, event, version, from, to, by, reason }: LedgerEntry): string[] {
  const moved = from !== to;
  const word = WORD[event];
  return [
    at.slice(0, 19).replace('T', ' '),
    version === null ? '' : `v${version}`,
    moved ? paint.good(word) : word,
    moved ? `${numbered(from)} → ${numbered(to)}` : paint.dim(numbered(to)),
    oneLine(by),
    oneLine(reason),
  ];
}

/** `v3`, or `none`. */
export function numbered(version: string | null): string {
  return version === null ? 'none' : `v${version}`;
}

/** What people write may hold anything: one line of printable characters. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
