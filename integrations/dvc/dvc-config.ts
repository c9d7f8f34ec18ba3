import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { parseConfig, type ConfigSections, type ConfigValue } from './config-file';

/** A remote as configured: `url` and whatever else its kind takes, keys in lower case. */
export type RemoteConfig = Record<string, ConfigValue>;

/** The parts of DVC’s configuration that matter here, all levels merged, paths absolute. */
export interface DvcConfig {
  /** Folder of the cache. */
  cacheDir: string;
  /** How files come out of the cache, in order of preference. Default `reflink, copy`. */
  cacheTypes: string[];
  /** Name of the default remote. */
  defaultRemote: string | undefined;
  remotes: Map<string, RemoteConfig>;
  /** `core.hardlink_lock`: workspaces whose file system has no flock. */
  hardlinkLock: boolean;
}

/** Settings that DVC resolves relative to the folder of the file that they stand in. */
const PATHS = new Set([
  'url',
  'gdrive_user_credentials_file',
  'gdrive_service_account_json_file_path',
  'credentialpath',
  'configpath',
  'keyfile',
  'cert_path',
  'key_path',
]);

/**
 * Reads the configuration as DVC does: system, then the user’s, then `.dvc/config`, then `.dvc/config.local`; each
 * setting of a later one wins.
 *
 * @param dvcDir absolute path of `.dvc`
 * @param outerDirs folders with the system’s and the user’s `config`. Default: DVC’s own on Linux
 */
export async function readDvcConfig(
  dvcDir: string,
  outerDirs: readonly string[] = ['/etc/xdg/dvc', join(homedir(), '.config', 'dvc')],
): Promise<DvcConfig> {
  const files = [
    ...outerDirs.map((dir) => join(dir, 'config')),
    join(dvcDir, 'config'),
    join(dvcDir, 'config.local'),
  ];
  const core = new Map<string, ConfigValue>();
  const cache = new Map<string, ConfigValue>();
  const remotes = new Map<string, RemoteConfig>();
  for (const file of files) {
    const sections = await read(file);
    sections.get('core')?.forEach((value, key) => core.set(key, value));
    sections
      .get('cache')
      ?.forEach((value, key) => cache.set(key, key === 'dir' ? located(value, file) : value));
    for (const [section, settings] of sections) {
      const name = /^remote\s*"(.*)"$/.exec(section)?.[1];
      if (name === undefined) continue;
      const remote = remotes.get(name) ?? {};
      remotes.set(name, remote);
      for (const [key, value] of settings) remote[key] = PATHS.has(key) ? located(value, file) : value;
    }
  }
  return {
    cacheDir: text(cache.get('dir')) ?? join(dvcDir, 'cache'),
    cacheTypes: (text(cache.get('type')) ?? 'reflink,copy').split(',').map((type) => type.trim()),
    defaultRemote: text(core.get('remote')),
    remotes,
    hardlinkLock: text(core.get('hardlink_lock'))?.toLowerCase() === 'true',
  };
}

/**
 * The settings of a remote, `remote://name/path` resolved.
 *
 * @param name default: `core.remote`
 * @throws RetrainError `CONFIG_INVALID` when there is none, or it names one that is not there
 */
export function remoteNamed(config: DvcConfig, name = config.defaultRemote): RemoteConfig & { url: string } {
  const known = [...config.remotes.keys()];
  const names = known.length > 0 ? `configured: ${known.join(', ')}` : 'none is configured';
  if (name === undefined) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `no default remote (${names}); set one with \`dvc remote add -d NAME URL\`, or name one with --remote`,
    );
  }
  const remote = config.remotes.get(name.toLowerCase());
  const url = text(remote?.url);
  if (!remote || url === undefined) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `remote ${JSON.stringify(name)} ${remote ? 'has no url' : 'is not configured'} (${names}); add it with \`dvc remote add\``,
    );
  }
  const based = /^remote:\/\/([^/]+)(.*)$/.exec(url);
  if (!based) return { ...remote, url };
  const base = remoteNamed(config, based[1]);
  return { ...base, ...remote, url: `${base.url.replace(/\/+$/, '')}${based[2]}` };
}

function text(value: ConfigValue | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}

function located(value: ConfigValue, file: string): ConfigValue {
  const path = Array.isArray(value) ? value.join(',') : value;
  if (/^\w+:\/\//.test(path) || isAbsolute(path)) return path;
  if (path === '~' || path.startsWith('~/')) return join(homedir(), path.slice(1));
  return resolve(dirname(file), path);
}

async function read(file: string): Promise<ConfigSections> {
  try {
    return parseConfig(await readFile(file, 'utf8'));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return new Map();
    throw error;
  }
}
