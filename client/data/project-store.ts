import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { ContentStore } from '../../integrations/dvc/content-store';
import { type PlaceMode } from '../../integrations/dvc/place-file';
import { openWorkspace, type Workspace } from '../../integrations/dvc/workspace';
import { type ClientConfig } from '../config';

/** The store that this project's stages work with. */
export interface ProjectStore {
  store: ContentStore;
  placeMode: PlaceMode;
  close(): void;
}

/** RETRAIN_CACHE, or the cache of the DVC workspace, or where that would be. */
export async function openProjectStore(config: ClientConfig): Promise<ProjectStore> {
  const workspace = await openWorkspace(config.project, cacheOf(config));
  if (workspace !== null) return workspace;
  const { cacheDir = path.join(config.project, '.dvc', 'cache') } = cacheOf(config);
  return { store: new ContentStore(cacheDir), placeMode: 'copy', close: () => undefined };
}

/** The DVC workspace that the project is in. @throws RetrainError CONFIG_NOT_FOUND */
export async function requireWorkspace(config: ClientConfig): Promise<Workspace> {
  const workspace = await openWorkspace(config.project, cacheOf(config));
  if (workspace !== null) return workspace;
  throw new RetrainError(
    'CONFIG_NOT_FOUND',
    `${config.project} is in no DVC workspace: there is no .dvc/config; make one with \`dvc init\`, or train once with \`retrain start\``,
  );
}

function cacheOf({ project, cache }: ClientConfig): { cacheDir?: string } {
  return cache === null ? {} : { cacheDir: path.resolve(project, cache) };
}
