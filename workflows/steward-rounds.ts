import {
  CancellationScope,
  condition,
  isCancellation,
  log,
  proxyActivities,
  sleep,
} from '@temporalio/workflow';
import { type StewardActivities } from '../contracts/steward';
import { settling, watching } from './activity-options';
import { failureReason } from './failure-reason';
import { type StewardBook } from './steward-book';

/** Entries of a burst go to MLflow together, and not while a run that was just decided still works, in ms. */
const MIRROR_AFTER_MS = 1000;

/** After a refusal, in ms: nothing but a person can mend it. */
const REFUSED_AGAIN_MS = 300_000;

/** Of the ledger's files in MLflow; see `LEDGER_FILE` there. */
const FILE = 100;

/** What goes on beside the desk. */
export interface Rounds {
  mirroring: boolean;
  /** The steward is about to continue as new: nothing is begun. */
  closing: boolean;
}

/** Keeps the ledger in MLflow up to date, for as long as the steward runs. */
export function keepMirrored(book: StewardBook, rounds: Rounds): void {
  const { mirrorLedger } = proxyActivities<StewardActivities>({ ...settling, summary: 'ledger to MLflow' });
  round('ledger not mirrored', async () => {
    await condition(() => book.total > book.state.mirrored && !rounds.closing);
    await sleep(MIRROR_AFTER_MS);
    if (rounds.closing) return;
    rounds.mirroring = true;
    try {
      const { mirrored } = await mirrorLedger({ model: book.model, entries: book.unmirrored(FILE) });
      book.mirrored(mirrored);
    } finally {
      rounds.mirroring = false;
    }
  });
}

/** Notices a production that is not what the ledger says, and has it looked at when nothing else goes on. */
export function watchAlias(book: StewardBook, rounds: Rounds, observe: () => Promise<void>): void {
  const { watchProduction } = proxyActivities<StewardActivities>({
    ...watching,
    summary: 'production, every 20 s',
  });
  round('production not watched', async () => {
    await condition(() => book.state.production !== undefined && !rounds.closing);
    const { production } = book;
    // Each own move begins a new watch: an old one would miss a move back to where it began.
    const watch = new CancellationScope();
    const watching = watch.run(() => watchProduction({ model: book.model, production }));
    const moved = condition(() => book.production !== production || rounds.closing).then(
      () => 'ours' as const,
    );
    const seen = await Promise.race([watching.then(() => 'theirs' as const), moved]);
    if (seen === 'ours') {
      watch.cancel();
      await watching.catch(ignoreCancellation);
    } else if (!rounds.closing) await observe();
  });
}

function ignoreCancellation(error: unknown): void {
  if (!isCancellation(error)) throw error;
}

function round(trouble: string, work: () => Promise<void>): void {
  const go = async (): Promise<never> => {
    for (;;) {
      try {
        await work();
      } catch (error) {
        if (isCancellation(error)) throw error;
        log.error(trouble, { reason: failureReason(error) });
        await sleep(REFUSED_AGAIN_MS);
      }
    }
  };
  go().catch(() => undefined);
}
