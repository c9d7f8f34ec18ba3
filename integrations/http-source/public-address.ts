import { BlockList, isIP } from 'node:net';

/**
 * Addresses that are nobody's on the public internet: this machine, private networks, link-local ones with the metadata services of
 * clouds, documentation, multicast.
 * Source: https://www.iana.org/assignments/iana-ipv4-special-registry
 */
const SPECIAL_V4 = [
  ...[
    '0.0.0.0/8',
    '10.0.0.0/8',
    '100.64.0.0/10',
    '127.0.0.0/8',
    '169.254.0.0/16',
    '172.16.0.0/12',
    '192.0.0.0/24',
  ],
  ...[
    '192.0.2.0/24',
    '192.88.99.0/24',
    '192.168.0.0/16',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
  ],
  ...['224.0.0.0/4', '240.0.0.0/4'],
];

/** Within 2000::/3, the part of IPv6 that is given out: tunnels that carry an IPv4 address, documentation, protocols. */
const SPECIAL_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const special = new BlockList();
for (const range of SPECIAL_V4) addRange(special, range);
for (const range of SPECIAL_V6) addRange(special, range);

const global = new BlockList();
addRange(global, '2000::/3');

/** Whether an IP address is one of the public internet. An IPv6 address that stands for an IPv4 one is judged as that. */
export function isPublicAddress(address: string): boolean {
  const plain = withoutMapping(address);
  const family = isIP(plain);
  if (family === 4) return !special.check(plain, 'ipv4');
  if (family === 6) return global.check(plain, 'ipv6') && !special.check(plain, 'ipv6');
  return false;
}

/** `::ffff:10.0.0.1` and `::ffff:a00:1` → `10.0.0.1`; brackets and zones are left out; others stay. */
export function withoutMapping(address: string): string {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (isIP(bare) !== 6) return bare;
  const dotted = /^(?:0*:)*:?(?:0*:)*ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  if (dotted !== undefined) return dotted;
  const [, high, low] =
    /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/i.exec(new URL(`http://[${bare}]`).hostname) ?? [];
  if (high === undefined || low === undefined) return bare;
  const number = (parseInt(high, 16) << 16) | parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}

/** Adds `10.0.0.0/8`, `fd00::/8` or a single address. @returns false for what is no such range */
export function addRange(list: BlockList, range: string): boolean {
  const [base = '', bits, ...rest] = range.split('/');
  const address = withoutMapping(base);
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (family === 0 || rest.length > 0 || !(prefix <= most)) return false;
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return true;
}
