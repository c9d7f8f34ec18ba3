import { lstat, rm } from 'node:fs/promises';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { lockFile, type Release } from '../../integrations/files/file-lock';
import { dayOf, listDays, listFolders } from './day-folder';
import { mergeSegments } from './merge-segments';

const DAY_MS = 86_400_000;

/** What a log remembers of the days that are in order already, so that it does not look through them every second. */
export interface KnownDays {
  /** Over, and merged. */
  settled: Set<string>;
}

/**
 * Merges small files, of today and of days that are over, and removes days that are too old. One process at a time does so; the
 * others pass.
 */
export async function keepOrder(
  dir: string,
  retentionDays: number,
  now: number,
  known: KnownDays,
): Promise<void> {
  const release = await tryLock(path.join(dir, '.lock'));
  if (release === null) return;
  const trouble: unknown[] = [];
  try {
    const today = dayOf(now);
    const oldest = dayOf(now - retentionDays * DAY_MS);
    for (const day of await listDays(dir)) {
      if (day < oldest) {
        await removeDay(path.join(dir, day));
        known.settled.delete(day);
      } else if (!known.settled.has(day)) {
        const over = day < today;
        for (const folder of await listFolders(dir, day)) {
          // A file that cannot be read keeps its own folder as it is, and no other.
          await mergeSegments(path.join(dir, day, folder), over, now).catch((error: unknown) => {
            trouble.push(error);
          });
        }
        // A flush that began before midnight has ended within an hour.
        if (day < dayOf(now - DAY_MS / 24)) known.settled.add(day);
      }
    }
  } finally {
    await release();
  }
  if (trouble.length > 0) throw trouble[0];
}

/** A link to somewhere else is not followed. */
async function removeDay(folder: string): Promise<void> {
  if ((await lstat(folder)).isDirectory()) await rm(folder, { recursive: true, force: true });
}

async function tryLock(file: string): Promise<Release | null> {
  try {
    return await lockFile(file, { timeoutMs: 0, private: true });
  } catch (error) {
    if (error instanceof RetrainError && error.code === 'WORKSPACE_BUSY') return null;
    throw error;
  }
}
