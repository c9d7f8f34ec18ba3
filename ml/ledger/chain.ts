import { type LedgerEntry, type LedgerPosition } from '../../contracts/steward';
import { canonicalJson } from '../hashing/canonical-json';
import { sha256Hex } from '../hashing/pipeline-key';

/** What the first entry has in place of a hash before it. */
export const NOTHING_BEFORE = '0'.repeat(64);

/** An entry before it has its place in the chain. */
export type LedgerDraft = Omit<LedgerEntry, 'index' | 'at' | 'previous' | 'hash'>;

/** Longest reason that an entry keeps, in characters: what people write is cut. */
export const MAX_REASON = 1000;

/** Gives each draft its number, its time and its hash. Pure: the same position and drafts make the same entries. */
export function sealEntries(position: LedgerPosition, drafts: readonly LedgerDraft[]): LedgerEntry[] {
  const sealed: LedgerEntry[] = [];
  for (const draft of drafts) {
    const entry = {
      ...draft,
      reason: draft.reason.slice(0, MAX_REASON),
      index: position.index + sealed.length,
      at: position.at,
      previous: sealed.at(-1)?.hash ?? position.head,
    };
    sealed.push({ ...entry, hash: entryHash(entry) });
  }
  return sealed;
}

/** SHA-256 of the canonical JSON of all fields but `hash`. */
export function entryHash(entry: Omit<LedgerEntry, 'hash'>): string {
  const { index, at, event, by, version, from, to, reason, evidence, pipelineKey, previous } = entry;
  return sha256Hex(
    canonicalJson({ index, at, event, by, version, from, to, reason, evidence, pipelineKey, previous }),
  );
}

/**
 * The first entry that does not belong where it is: changed, missing before it, or in the wrong place; null when the chain
 * is whole. Also holds `from` against the `to` of the entry before: production cannot change between two entries.
 */
export function firstBreak(entries: readonly LedgerEntry[]): { index: number; why: string } | null {
  let previous = NOTHING_BEFORE;
  let production: string | null | undefined;
  for (const [index, entry] of entries.entries()) {
    if (entry.index !== index) return { index, why: `entry ${entry.index} is in its place` };
    if (entry.previous !== previous) {
      return {
        index,
        why: `it names ${short(entry.previous)} as the entry before, which is ${short(previous)}`,
      };
    }
    if (entry.hash !== entryHash(entry)) {
      return { index, why: `its content makes ${short(entryHash(entry))}, its hash is ${short(entry.hash)}` };
    }
    if (production !== undefined && entry.from !== production) {
      return { index, why: `it begins at version ${entry.from}, the entry before ended at ${production}` };
    }
    previous = entry.hash;
    production = entry.to;
  }
  return null;
}

/** The entry that made what was production at a moment (epoch ms); null: nothing was, as far as the ledger goes back. */
export function productionAt(entries: readonly LedgerEntry[], at: number): LedgerEntry | null {
  const before = entries.filter((entry) => Date.parse(entry.at) <= at && entry.from !== entry.to);
  return before.at(-1) ?? null;
}

function short(hash: string): string {
  return `${hash.slice(0, 12)}…`;
}
