import { randomInt } from 'node:crypto';
import { type WebUiTarget } from './web-ui-proxy';
import { freePort } from './ports';

/**
 * An address of this machine that no page can guess, for what must not be asked but by us. On Linux all of 127.0.0.0/8
 * is this machine: one of 2^24 addresses, and a port. Elsewhere only 127.0.0.1 is, and the port alone is random.
 */
export async function hiddenAddress(): Promise<WebUiTarget> {
  const octet = (): number => randomInt(1, 255);
  const host = process.platform === 'linux' ? `127.${octet()}.${octet()}.${octet()}` : '127.0.0.1';
  return { host, port: await freePort() };
}
