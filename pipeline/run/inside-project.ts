import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { contentStoreDir } from '../content-store-dir';
import { isBelow, shownPath } from './params-file';

/** @throws RetrainError CONFIG_INVALID for a path that leaves the project: workers read only below it. */
export function insideProject(project: string, relative: string, source: string, key = 'data.path'): string {
  const resolved = path.resolve(project, relative);
  if (!isBelow(path.resolve(project), resolved)) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `${source}: ${key} must stay inside the project, got ${shownPath(relative)}; copy or mount the data below it`,
    );
  }
  return resolved;
}

/**
 * As `insideProject`, wherever links lead: neither the path nor a link below it may leave the project, but for DVC's
 * cache, to which DVC itself may link.
 *
 * @param key of params.yaml, for messages
 * @returns The path, absolute; it need not be there.
 * @throws RetrainError CONFIG_INVALID naming the link.
 */
export async function dataInsideProject(
  project: string,
  relative: string,
  source: string,
  key = 'data.path',
): Promise<string> {
  const file = insideProject(project, relative, source, key);
  const found = await realpath(file).catch(() => undefined);
  if (found === undefined) return file;
  const cache = await contentStoreDir(project, null).then(
    (folder) => realpath(folder).catch(() => undefined),
    () => undefined,
  );
  const allowed = [await realpath(project), ...(cache === undefined ? [] : [cache])];
  const leaves = (real: string): boolean => !allowed.some((folder) => isBelow(folder, real));
  const refused = (link: string): RetrainError =>
    new RetrainError(
      'CONFIG_INVALID',
      `${source}: ${key}: ${shownPath(link)} is a link that leads out of the project; copy or mount the data below it`,
    );
  if (leaves(found)) throw refused(relative);
  for (const link of linksBelow(file)) {
    let real: string;
    try {
      real = realpathSync(path.join(file, link));
    } catch {
      continue; // A broken link is named by whoever reads the folder.
    }
    if (leaves(real)) throw refused(`${relative}/${link}`);
  }
  return file;
}

/** Paths of links below a folder; none for a file. */
function linksBelow(root: string): string[] {
  if (!lstatSync(root).isDirectory()) {
    // A link to a folder: what is in it counts as well.
    const real = realpathSync(root);
    return real === root || !lstatSync(real).isDirectory()
      ? []
      : linksBelow(real).map((link) => path.relative(root, path.join(real, link)));
  }
  const links: string[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const below = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isSymbolicLink()) links.push(below);
      else if (entry.isDirectory()) folders.push(below);
    }
  }
  return links;
}
