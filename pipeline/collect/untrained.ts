import { lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { writingTo } from '../../integrations/files/storage-trouble';

/** A source and a day. */
const MARK = /^[a-z][a-z0-9_-]*-\d{4}-\d{2}-\d{2}$/;

const unlessThere = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EEXIST') throw error;
};

/**
 * Marks that say: files have changed since a training was last started. One is made before a file gets its place and goes once the start
 * has succeeded, so that no end in between forgets the training. A mark too many costs a start that finds its result.
 */
export class Untrained {
  private readonly folder: string;

  /** @param records absolute */
  constructor(records: string) {
    this.folder = path.join(records, '.untrained');
  }

  /** @param name of who changes a file: the same for each attempt */
  async mark(name: string): Promise<void> {
    await writingTo({ folder: this.folder }, async () => {
      await this.requireOwn();
      await mkdir(this.folder, { recursive: true });
      // Not through a link: what is there is a mark already.
      await writeFile(path.join(this.folder, name), '', { flag: 'wx' }).catch(unlessThere);
    });
  }

  async marks(): Promise<string[]> {
    await this.requireOwn();
    const names = await readdir(this.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names.filter((name) => MARK.test(name));
  }

  /** The folder lies in the project, where anybody may have put a link: what is behind one is not ours to remove. */
  private async requireOwn(): Promise<void> {
    const found = await lstat(this.folder).catch(() => null);
    if (found === null || found.isDirectory()) return;
    throw new RetrainError('CONFIG_INVALID', `${this.folder} is no folder; remove it, then collect again`);
  }

  /** Those that were there when the start began; later ones stay. */
  async clear(marks: readonly string[]): Promise<void> {
    for (const mark of marks) await rm(path.join(this.folder, mark), { force: true });
  }
}
