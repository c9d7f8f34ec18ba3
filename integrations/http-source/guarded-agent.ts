import { lookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent } from 'undici';
import { RetrainError } from '../../contracts/errors';
import { hostOf, type HostList } from './host-list';

/** How a name becomes addresses: `dns.lookup` with all of them. */
export type Resolve = (
  name: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const CONNECT_MS = 10_000;

/**
 * Connections that go to allowed addresses only. The address that is looked at is the one that is connected to: a name that answers
 * otherwise the next time (DNS rebinding) gains nothing.
 */
export function guardedAgent(hosts: HostList, resolve: Resolve = lookup): Agent {
  const guarded: LookupFunction = (name, options, done) => {
    resolve(name, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, '', 0);
      const host = name.toLowerCase().replace(/\.$/, '');
      const refused = addresses.find(({ address }) => !hosts.allowsAddress(host, address));
      if (refused !== undefined) return done(notAllowed(name, refused.address), '', 0);
      const [first] = addresses;
      if (first === undefined) return done(new Error(`${name} has no address`), '', 0);
      if (options.all === true) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
  return new Agent({
    connect: { timeout: CONNECT_MS, lookup: guarded },
    connections: 4,
    keepAliveTimeout: 3_000,
  });
}

/**
 * What can be said before a name is looked up.
 *
 * @throws RetrainError SOURCE_NOT_ALLOWED
 */
export function requireAllowed(hosts: HostList, url: URL): void {
  if (!hosts.allows(url)) {
    throw new RetrainError(
      'SOURCE_NOT_ALLOWED',
      `${url.host} is not among the hosts that may be asked; if it is meant to be, add ${url.host} to RETRAIN_COLLECT_HOSTS where the collection runs`,
    );
  }
  const host = hostOf(url);
  // An address is not looked up, so the agent would not look at it.
  if (isIP(host) !== 0 && !hosts.allowsAddress(host, host)) throw notAllowed(host, host);
}

function notAllowed(name: string, address: string): RetrainError {
  const at = name === address ? '' : ` is at ${address}, which`;
  return new RetrainError(
    'SOURCE_NOT_ALLOWED',
    `${name}${at} is an address of this machine, a private network or a cloud’s own; if it is meant to be asked, add ${address} to RETRAIN_COLLECT_HOSTS where the collection runs`,
  );
}
