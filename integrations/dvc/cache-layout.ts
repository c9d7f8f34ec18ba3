import { join } from 'node:path';

/**
 * Path of an object below a cache or remote of DVC 3: `files/md5/<2 hex>/<30 hex>`, with `.dir` at the end for a
 * directory’s manifest (dvc_data/hashfile/db). Always with `/`; it is also the key in an object store.
 */
export function objectKey(md5: string): string {
  return `files/md5/${md5.slice(0, 2)}/${md5.slice(2)}`;
}

/** `objectKey` as a path below a cache folder. */
export function objectPath(cacheDir: string, md5: string): string {
  return join(cacheDir, 'files', 'md5', md5.slice(0, 2), md5.slice(2));
}

/** Whether a DVC hash names a directory manifest. */
export function isDirectoryHash(md5: string): boolean {
  return md5.endsWith('.dir');
}
