import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Tells one build from another: 12 hex digits over the names, sizes and times of the files that the compiler
 * wrote. It rewrites only what changed, so the same build has the same fingerprint.
 */
export function buildFingerprint(distDir: string): string {
  const hash = createHash('sha256');
  for (const path of builtFiles(distDir)) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path}\0${size}\0${mtimeMs}\0`);
  }
  return hash.digest('hex').slice(0, 12);
}

function builtFiles(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(js|json)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
