import { z } from 'zod';
import { isDirectoryHash } from './cache-layout';
import { isSafeRelpath } from './manifest';

/**
 * A tracked file or directory in a `.dvc` file or a lock: where it is and which bytes. Without `hash: md5` the MD5 is of
 * the text with Unix line ends, as DVC 2 took it, and does not name an object of the DVC 3 cache.
 */
export const OutEntry = z.looseObject({
  path: z.string().min(1),
  hash: z.string().optional(),
  md5: z
    .string()
    .regex(/^[0-9a-f]{32}(\.dir)?$/)
    .optional(),
  size: z.number().int().min(0).optional(),
  nfiles: z.number().int().min(0).optional(),
  isexec: z.boolean().optional(),
});
export type OutEntry = z.infer<typeof OutEntry>;

/** What there is to know about the content of an out. */
export interface OutContent {
  md5: string;
  sizeBytes: number;
  /** For a directory. */
  nfiles?: number;
  /** The file may be executed. */
  isExecutable?: boolean;
}

/** The entry of a lock, keys in DVC’s order. */
export function lockEntry(path: string, content: OutContent): OutEntry {
  return {
    path,
    hash: 'md5',
    md5: content.md5,
    size: content.sizeBytes,
    ...(isDirectoryHash(content.md5) && { nfiles: content.nfiles ?? 0 }),
    ...(content.isExecutable && { isexec: true }),
  };
}

/** The entry of a `.dvc` file, keys in DVC’s order. */
export function outEntry(path: string, content: OutContent): OutEntry {
  const { path: _path, hash, ...rest } = lockEntry(path, content);
  return { ...rest, hash, path };
}

/** Whether an entry names an object of the DVC 3 cache, at a path that stays within its folder. */
export function isUsable(entry: OutEntry): entry is OutEntry & { md5: string } {
  return entry.hash === 'md5' && entry.md5 !== undefined && isSafeRelpath(entry.path);
}
