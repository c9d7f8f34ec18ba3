import { mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { type CollectParams } from '../../contracts/collect-params';
import { declaredData, type DataParams } from '../../contracts/data-params';
import { RetrainError } from '../../contracts/errors';
import { insideProject } from '../run/inside-project';
import { isBelow, shownPath } from '../run/params-file';

/**
 * Makes a folder of the project, wherever links lead: not outside of it.
 *
 * @param relative as params.yaml has it
 * @returns absolute
 * @throws RetrainError CONFIG_INVALID
 */
export async function folderInside(project: string, relative: string, key: string): Promise<string> {
  const folder = insideProject(project, relative, 'params.yaml', key);
  const root = await realpath(project);
  const requireInside = async (at: string): Promise<void> => {
    if (isBelow(root, await realpath(at))) return;
    throw new RetrainError(
      'CONFIG_INVALID',
      `${key}: ${shownPath(relative)} is a link that leads out of the project; choose a folder within it`,
    );
  };
  await requireInside(await existing(folder));
  await mkdir(folder, { recursive: true });
  await requireInside(folder);
  return folder;
}

async function existing(folder: string): Promise<string> {
  for (let at = folder; ; at = path.dirname(at)) {
    if (path.dirname(at) === at || (await realpath(at).catch(() => null)) !== null) return at;
  }
}

/**
 * Refuses records that would be read as data.
 *
 * @throws RetrainError CONFIG_INVALID
 */
export function requireApart(data: DataParams, { records }: Pick<CollectParams, 'records'>): void {
  for (const { key, path: declared } of declaredData(data)) {
    const folder = path.normalize(declared).replace(/\/$/, '');
    const kept = path.normalize(records).replace(/\/$/, '');
    if (folder !== '.' && !isBelow(folder, kept)) continue;
    throw new RetrainError(
      'CONFIG_INVALID',
      `params.yaml: ${key} is ${shownPath(declared)}, which holds ${shownPath(records)}, where records of collections are kept; they are no data, so name the folder of the files, such as data/raw, or move collect.records`,
    );
  }
}
