import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writingTo } from '../../integrations/files/storage-trouble';

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
      await mkdir(this.folder, { recursive: true });
      await writeFile(path.join(this.folder, name), '');
    });
  }

  async marks(): Promise<string[]> {
    return readdir(this.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
  }

  /** Those that were there when the start began; later ones stay. */
  async clear(marks: readonly string[]): Promise<void> {
    for (const mark of marks) await rm(path.join(this.folder, mark), { force: true });
  }
}
