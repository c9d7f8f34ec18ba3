import { BlockList, isIP } from 'node:net';
import { RetrainError } from '../../contracts/errors';
import { addRange, isPublicAddress, withoutMapping } from './public-address';

interface HostRule {
  /** Lower case; `*.example.com` stands for every name below it, `*` for all public hosts. */
  host: string;
  /** `*`: any; undefined: 80 and 443. */
  port: string | undefined;
}

/**
 * Where whoever runs the collector lets it go: `api.example.com`, `*.example.com`, `prices.internal:8080`, `127.0.0.1:*`, and networks such as
 * `10.0.0.0/8`. A name says which hosts may be asked; it does not let them be at an address of this machine, a private network or a
 * cloud's metadata service. That needs the address or its network on the list too (`localhost` speaks for this machine's).
 */
export class HostList {
  private readonly rules: HostRule[] = [];
  private readonly networks = new BlockList();

  /** @throws RetrainError CONFIG_INVALID */
  constructor(
    text: string,
    private readonly variable: string,
  ) {
    for (const entry of text.split(/[\s,]+/).filter((one) => one !== '')) this.add(entry);
  }

  get isEmpty(): boolean {
    return this.rules.length === 0;
  }

  private add(entry: string): void {
    if (entry.includes('/')) {
      if (addRange(this.networks, entry)) return;
      throw this.invalid(entry);
    }
    const rule = parseHost(entry);
    if (rule === null) throw this.invalid(entry);
    this.rules.push(rule);
    if (isIP(rule.host) !== 0) addRange(this.networks, rule.host);
  }

  private invalid(entry: string): RetrainError {
    return new RetrainError(
      'CONFIG_INVALID',
      `${this.variable} has ${JSON.stringify(entry.slice(0, 60))}, expected hosts such as api.example.com, *.example.com, prices.internal:8080 or 127.0.0.1:*, and networks such as 10.0.0.0/8, between commas`,
    );
  }

  /** Whether the host and port of an address are on the list. */
  allows(url: URL): boolean {
    const host = hostOf(url);
    const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
    return this.rules.some((rule) => {
      if (rule.port !== '*' && rule.port !== undefined && rule.port !== port) return false;
      if (rule.port === undefined && port !== '80' && port !== '443') return false;
      if (rule.host === '*') return true;
      return rule.host.startsWith('*.') ? host.endsWith(rule.host.slice(1)) : rule.host === host;
    });
  }

  /** Whether the connection may go to this address, which is the host's at this moment. */
  allowsAddress(host: string, address: string): boolean {
    const plain = withoutMapping(address);
    const family = isIP(plain);
    if (family === 0) return false;
    if (isPublicAddress(plain)) return true;
    if (this.networks.check(plain, family === 4 ? 'ipv4' : 'ipv6')) return true;
    return host === 'localhost' && this.rules.some((rule) => rule.host === 'localhost') && isLoopback(plain);
  }
}

/** The host of a URL: lower case, without brackets and a last dot, an IPv6 address that stands for an IPv4 one as that. */
export function hostOf(url: URL): string {
  return withoutMapping(url.hostname.toLowerCase()).replace(/\.$/, '');
}

/** `example.com`, `example.com:8080`, `[::1]:8080`. Null: none of these. */
export function parseHost(entry: string): HostRule | null {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-f:.]+)\]|(\*|(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?))(?::(\*|\d{1,5}))?$/i.exec(
      entry,
    ) ?? [];
  const host = bracketed === undefined ? plain?.toLowerCase() : withoutMapping(bracketed.toLowerCase());
  if (host === undefined || (bracketed !== undefined && isIP(host) === 0)) return null;
  return { host, port };
}

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

/** Whether a host is, by its name, this machine or one of its own network: `localhost`, `prices`, `prices.internal`, `10.0.0.5`. */
export function isLocalHost(url: URL): boolean {
  const host = hostOf(url);
  if (isIP(host) !== 0) return !isPublicAddress(host);
  return !host.includes('.') || /\.(internal|local|localhost)$/.test(host);
}
