import { realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { isSafeRelpath } from './manifest';

/**
 * Resolves paths below a root, and refuses those that lead out of it: absolute ones, `..`, and through symbolic links. Remembers
 * the folders that it has looked at, so many files of one folder cost one look.
 */
export class SafePaths {
  private readonly realRoot: string;
  private readonly inside = new Set<string>();

  constructor(private readonly root: string) {
    this.realRoot = realpathSync(root);
  }

  /**
   * The absolute path. Its last part itself may be a link: who writes there replaces the link.
   *
   * @throws RetrainError `CONFIG_INVALID`
   */
  resolve(relpath: string): string {
    const path = resolve(this.root, relpath);
    const folder = dirname(path);
    if (!isSafeRelpath(relpath)) throw this.leaves(relpath);
    if (this.inside.has(folder)) return path;
    const real = realExisting(folder);
    if (real !== this.realRoot && !real.startsWith(this.realRoot + sep)) throw this.leaves(relpath);
    this.inside.add(folder);
    return path;
  }

  private leaves(relpath: string): RetrainError {
    return new RetrainError(
      'CONFIG_INVALID',
      `the path ${JSON.stringify(relpath)} leaves ${this.root}; nothing is written there: correct the file that names it, or remove the link`,
    );
  }
}

/** Where a folder really is, going by the nearest one above it that is there. */
function realExisting(folder: string): string {
  for (let existing = folder; ; existing = dirname(existing)) {
    try {
      return join(realpathSync(existing), relative(existing, folder));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
