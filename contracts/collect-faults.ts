// When a source is given up for this time. No schemas: workflow code imports this file.

/** Faults that the next day of the source would meet as well. */
const ENDING: readonly string[] = [
  'SOURCE_UNREACHABLE',
  'SOURCE_NOT_ALLOWED',
  'CONFIG_INVALID',
  'DISK_FULL',
  'STORAGE_REFUSED',
  'WORKSPACE_BUSY',
  'CONTAINER_REFUSED',
  'IMAGE_NOT_FOUND',
  'DOCKER_UNREACHABLE',
  'DOCKER_REFUSED',
  'NO_WORKER',
];
const MOST_FAILED = 3;

/**
 * Whether a source is given up for this time after some of its days failed: for what the next day would meet as well, where days build on one another, and
 * after three. The days are due again the next time.
 *
 * @param inOrder whether a day means nothing without the one before it
 */
export function isGivenUp(inOrder: boolean, failed: readonly { code: string }[]): boolean {
  if (failed.length === 0) return false;
  return inOrder || failed.length >= MOST_FAILED || failed.some(({ code }) => ENDING.includes(code));
}
