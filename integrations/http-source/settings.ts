import { RetrainError } from '../../contracts/errors';
import { type Environment } from '../files/dot-env';
import { Secret } from '../files/secret';
import { HostList, isLocalHost, parseHost } from './host-list';

/** What the environment of whoever collects allows, whatever params.yaml asks for. */
export interface CollectSettings {
  /** RETRAIN_COLLECT_HOSTS */
  hosts: HostList;
  /** By the name of the variable: the key, and the only hosts that it may go to. */
  keys: ReadonlyMap<string, { value: Secret | null; hosts: HostList }>;
}

const HOSTS = 'RETRAIN_COLLECT_HOSTS';
const KEYS = 'RETRAIN_COLLECT_ENV';

/**
 * Reads RETRAIN_COLLECT_HOSTS, which hosts may be asked, and RETRAIN_COLLECT_ENV, which variables hold a key, and for whom:
 * `PRICES_API_KEY@api.example.com`. Both are empty by default: nothing is asked, and no key goes anywhere.
 *
 * @throws RetrainError CONFIG_INVALID, which never quotes a key
 */
export function collectSettings(env: Environment): CollectSettings {
  const keys = new Map<string, { value: Secret | null; hosts: string[] }>();
  for (const entry of (env['RETRAIN_COLLECT_ENV'] ?? '').split(/[\s,]+/).filter((one) => one !== '')) {
    const [, name, host] = /^([A-Za-z_][A-Za-z0-9_]*)@(.+)$/.exec(entry) ?? [];
    if (
      name === undefined ||
      host === undefined ||
      parseHost(host) === null ||
      host.startsWith('*:') ||
      host === '*'
    ) {
      throw new RetrainError(
        'CONFIG_INVALID',
        `${KEYS} has ${JSON.stringify(entry.slice(0, 60))}, expected variables and the one host that each is for, such as PRICES_API_KEY@api.example.com, between commas`,
      );
    }
    const known = keys.get(name);
    if (known === undefined) keys.set(name, { value: keyIn(env, name), hosts: [host] });
    else known.hosts.push(host);
  }
  return {
    hosts: new HostList(env['RETRAIN_COLLECT_HOSTS'] ?? '', HOSTS),
    keys: new Map(
      [...keys].map(([name, { value, hosts }]) => [
        name,
        { value, hosts: new HostList(hosts.join(','), KEYS) },
      ]),
    ),
  };
}

function keyIn(env: Environment, name: string): Secret | null {
  const value = env[name]?.trim();
  if (value === undefined || value === '') return null;
  if (/^[\x21-\x7e](?:[\x20-\x7e]{0,8190}[\x21-\x7e])?$/.test(value)) return new Secret(value);
  throw new RetrainError(
    'CONFIG_INVALID',
    `${name}, which ${KEYS} names, is no key: expected printable ASCII on one line`,
  );
}

/**
 * The key of a variable for one address.
 *
 * @throws RetrainError SOURCE_NOT_ALLOWED when the variable, or this host for it, is not listed, or it would go unencrypted over the public internet;
 * CONFIG_INVALID when it is not set
 */
export function keyFor({ keys }: CollectSettings, name: string, url: URL): Secret {
  const entry = keys.get(name);
  if (entry === undefined || !entry.hosts.allows(url)) {
    throw new RetrainError(
      'SOURCE_NOT_ALLOWED',
      `the key of variable ${name} may not go to ${url.host}: ${KEYS} does not say so; if it is meant to, add ${name}@${url.host} to ${KEYS} where the collection runs`,
    );
  }
  if (url.protocol !== 'https:' && !isLocalHost(url)) {
    throw new RetrainError(
      'SOURCE_NOT_ALLOWED',
      `the key of variable ${name} would go to ${url.host} unencrypted; use https:// in the url`,
    );
  }
  if (entry.value !== null) return entry.value;
  throw new RetrainError(
    'CONFIG_INVALID',
    `variable ${name} is not set where the collection runs, and the source needs it as its key; set it there (.env)`,
  );
}
