import { readFileSync } from 'node:fs';

/**
 * Id of the container that this process runs in, on a Docker engine: the engine mounts /etc/hostname and its kin from a folder that
 * has the container's id. The host name is the id only as long as nobody names the container or gives it the host's network.
 *
 * @param mountinfo default: this process's; its format is in proc(5)
 */
export function ownContainerId(mountinfo = readMountinfo()): string | undefined {
  return /\/containers\/([0-9a-f]{64})\/(?:hostname|hosts|resolv\.conf) \/etc\//.exec(mountinfo)?.[1];
}

function readMountinfo(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return ''; // not Linux
  }
}
