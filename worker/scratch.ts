import { mkdir, mkdtemp, readdir } from 'node:fs/promises';
import path from 'node:path';
import { RetrainError } from '../contracts/errors';
import { lockFile, withFileLock, type Release } from '../integrations/files/file-lock';
import { removeTree, removeTreeLater } from '../integrations/files/remove-tree';

/** Folders of workers, beside those of containers, which outlive them. */
const OWN = 'worker-';
const CONTAINER = 'container-';

/** A worker's part of the scratch folder that all workers of a state folder share. */
export interface Scratch {
  /** For this worker's own stages: nobody else touches it while this process lives. */
  dir: string;
  /** Removes the folder. Called once everything that works in it has ended. */
  release(): Promise<void>;
}

/**
 * Takes a folder of one's own below the scratch folder, under a lock that the system drops when the process dies, and removes
 * what dead workers left: their folders; and, when no other worker lives, everything that no container works in.
 *
 * @param keptByContainers folders that containers work in; undefined when that is not known: then all of containers' stay
 * @param onTrouble told of what cannot be removed, which then stays: it must not keep a worker from starting
 */
export async function takeScratch(
  root: string,
  keptByContainers: readonly string[] | undefined,
  onTrouble: (what: string, error: unknown) => void,
): Promise<Scratch> {
  await mkdir(root, { recursive: true });
  // One at a time: so that nobody is taken for dead who is just making his folder, and nothing is swept that he is making.
  return withFileLock(`${root}.lock`, { private: true }, async () => {
    const others = await sweepDead(root, onTrouble);
    if (!others) await sweepRest(root, keptByContainers, onTrouble);
    const dir = await mkdtemp(path.join(root, OWN));
    const unlock = await lockFile(lockOf(dir), { private: true });
    return { dir, release: () => release(dir, unlock) };
  });
}

async function release(dir: string, unlock: Release): Promise<void> {
  await removeTreeLater(dir);
  await unlock();
}

const lockOf = (dir: string): string => path.join(dir, '.lock');

/** @returns whether another worker lives */
async function sweepDead(root: string, onTrouble: (what: string, error: unknown) => void): Promise<boolean> {
  let others = false;
  for (const name of await namesIn(root)) {
    if (!name.startsWith(OWN)) continue;
    const dir = path.join(root, name);
    const unlock = await ifDead(dir, onTrouble);
    if (unlock === null) {
      others = true;
      continue;
    }
    await remove(dir, onTrouble);
    await unlock();
  }
  return others;
}

/** The lock of a worker's folder, if its worker is dead; null also when that cannot be told. */
async function ifDead(
  dir: string,
  onTrouble: (what: string, error: unknown) => void,
): Promise<Release | null> {
  try {
    return await lockFile(lockOf(dir), { timeoutMs: 0, private: true });
  } catch (error) {
    if (!(error instanceof RetrainError && error.code === 'WORKSPACE_BUSY')) onTrouble(dir, error);
    return null;
  }
}

async function sweepRest(
  root: string,
  kept: readonly string[] | undefined,
  onTrouble: (what: string, error: unknown) => void,
): Promise<void> {
  for (const name of await namesIn(root)) {
    const dir = path.join(root, name);
    const mayGo = kept === undefined ? !name.startsWith(CONTAINER) : !kept.includes(dir);
    if (mayGo) await remove(dir, onTrouble);
  }
}

async function remove(dir: string, onTrouble: (what: string, error: unknown) => void): Promise<void> {
  try {
    await removeTree(dir);
  } catch (error) {
    onTrouble(dir, error);
  }
}

async function namesIn(dir: string): Promise<string[]> {
  return readdir(dir).catch(() => []);
}
