import path from 'node:path';
import { readDvcConfig } from '../integrations/dvc/dvc-config';

/**
 * Where a project's content store is: the folder that RETRAIN_CACHE names, else the cache of DVC's configuration, which
 * is `.dvc/cache` unless `cache.dir` says otherwise.
 *
 * @param named value of RETRAIN_CACHE, relative to the project
 */
export async function contentStoreDir(project: string, named: string | null): Promise<string> {
  if (named !== null) return path.resolve(project, named);
  return (await readDvcConfig(path.join(project, '.dvc'))).cacheDir;
}
