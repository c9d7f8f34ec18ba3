import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { RetrainError } from '../../contracts/errors';

/**
 * Reads a small file that somebody else left: a regular file of at most so many bytes. Follows no link, and waits at no FIFO.
 *
 * @param shown how messages name it: `out/metrics.json`
 * @returns null when there is no such file
 * @throws RetrainError STAGE_UNSAFE for a link, a folder, a device, or a file that is too large
 */
export async function readBounded(file: string, shown: string, mostBytes: number): Promise<string | null> {
  let opened;
  try {
    opened = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (code === 'ELOOP') throw unsafe(shown, 'a symbolic link');
    // A FIFO or a socket that nobody is at the other end of.
    if (code === 'ENXIO') throw unsafe(shown, 'neither a file nor a folder');
    throw error;
  }
  try {
    const info = await opened.stat();
    if (!info.isFile()) throw unsafe(shown, info.isDirectory() ? 'a folder' : 'neither a file nor a folder');
    if (info.size > mostBytes) {
      throw new RetrainError(
        'STAGE_UNSAFE',
        `${shown} has ${info.size} bytes, expected at most ${mostBytes}; it is not read`,
      );
    }
    // Not readFile: the file may grow while it is read.
    const buffer = Buffer.alloc(info.size);
    const { bytesRead } = await opened.read(buffer, 0, info.size, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await opened.close();
  }
}

function unsafe(shown: string, what: string): RetrainError {
  return new RetrainError('STAGE_UNSAFE', `${shown} is ${what}, expected a regular file; it is not read`);
}
