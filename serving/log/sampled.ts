/**
 * Whether a request is among the share that is kept: by FNV-1a of its id, so that every process, and the true label that comes a week
 * later, decide alike.
 *
 * @param share 0 to 1
 */
export function isSampled(requestId: string, share: number): boolean {
  if (share >= 1) return true;
  let hash = 0x811c9dc5;
  for (let at = 0; at < requestId.length; at += 1) {
    hash = Math.imul(hash ^ requestId.charCodeAt(at), 0x01000193);
  }
  // Its last letters, where ids differ, would move the low bits only.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 < share;
}
