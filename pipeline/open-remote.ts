import { RetrainError } from '../contracts/errors';
import type { ObjectStorage } from '../integrations/files/object-storage';
import type { ConfigValue } from '../integrations/dvc/config-file';
import { remoteNamed, type DvcConfig, type RemoteConfig } from '../integrations/dvc/dvc-config';
import { openWorkspace } from '../integrations/dvc/workspace';
import { type Environment } from '../integrations/files/dot-env';

/** Settings of an S3 remote and the variables that stand in for those that DVC's configuration leaves open. */
const S3_VARIABLES = {
  access_key_id: 'AWS_ACCESS_KEY_ID',
  secret_access_key: 'AWS_SECRET_ACCESS_KEY',
  session_token: 'AWS_SESSION_TOKEN',
  region: 'AWS_REGION',
} as const;

/**
 * A data remote of DVC's configuration, for worker and command line alike: what the configuration leaves open comes from the
 * environment, `.env` included, which the AWS SDK does not read. A profile, and keys in DVC's own files, win.
 *
 * @param name default: `core.remote`
 * @throws RetrainError CONFIG_INVALID when there is none, or for kinds and settings that are not supported
 */
export async function openNamedRemote(
  config: DvcConfig,
  env: Environment,
  name?: string,
): Promise<ObjectStorage> {
  const remote = remoteNamed(config, name);
  const endpoint = env['S3_ENDPOINT_URL'];
  return openRemote(
    remote.url.startsWith('s3://') ? withEnvironment(remote, env) : remote,
    endpoint ? { s3Endpoint: endpoint } : {},
  );
}

/**
 * The remote on which a project's artifacts are shared: the one that RETRAIN_SHARED_CACHE names, else the default one of its DVC workspace.
 *
 * @returns null where there is none
 * @throws RetrainError CONFIG_INVALID
 */
export async function openProjectRemote(
  project: string,
  env: Environment,
): Promise<{ name: string; storage: ObjectStorage } | null> {
  const workspace = await openWorkspace(project);
  if (workspace === null) return null;
  try {
    const { config } = workspace;
    const named = env['RETRAIN_SHARED_CACHE'] || config.defaultRemote;
    if (named === undefined) return null;
    return { name: named, storage: await openNamedRemote(config, env, named) };
  } finally {
    workspace.close();
  }
}

function withEnvironment<T extends RemoteConfig>(config: T, env: Environment): T {
  if (config['profile'] !== undefined || config['access_key_id'] !== undefined) return config;
  const found = Object.entries(S3_VARIABLES).flatMap(([key, variable]) => {
    const value = env[variable];
    return value ? [[key, value] as const] : [];
  });
  return { ...Object.fromEntries(found), ...config };
}

/**
 * Opens a data remote as DVC’s configuration describes it: a folder, `s3://bucket/prefix`, or `http(s)://`. Each kind is
 * loaded only when it is used.
 *
 * @param fallback for what the configuration leaves open, from the environment of the process
 * @throws RetrainError `CONFIG_INVALID` for kinds and settings that are not supported
 */
export async function openRemote(
  config: RemoteConfig & { url: string },
  fallback: { s3Endpoint?: string } = {},
): Promise<ObjectStorage> {
  const url = config.url;
  for (const setting of ['version_aware', 'worktree']) {
    if (text(config[setting])?.toLowerCase() !== 'true') continue;
    throw new RetrainError(
      'CONFIG_INVALID',
      `remote ${url} has ${setting} = true, which retrain does not support; unset it, or use dvc itself for this remote`,
    );
  }
  const scheme = /^(\w+):\/\//.exec(url)?.[1];
  switch (scheme) {
    case undefined:
    case 'file': {
      const { FolderStorage } = await import('../integrations/objectstore/folder-storage.js');
      return new FolderStorage(url.replace(/^file:\/\//, ''));
    }
    case 's3': {
      const { S3Storage } = await import('../integrations/objectstore/s3-storage.js');
      return new S3Storage(s3Settings(config, fallback.s3Endpoint));
    }
    case 'http':
    case 'https': {
      const { HttpStorage } = await import('../integrations/objectstore/http-storage.js');
      return new HttpStorage(httpSettings(config));
    }
    default:
      throw new RetrainError(
        'CONFIG_INVALID',
        `remote ${url}: ${scheme}:// is not supported; a folder, s3:// and http(s):// are`,
      );
  }
}

function s3Settings(config: RemoteConfig & { url: string }, fallbackEndpoint: string | undefined) {
  const [bucket = '', ...path] = config.url.slice('s3://'.length).replace(/\/+$/, '').split('/');
  const accessKeyId = text(config.access_key_id);
  const secretAccessKey = text(config.secret_access_key);
  const sessionToken = text(config.session_token);
  const endpoint = text(config.endpointurl) ?? fallbackEndpoint;
  const region = text(config.region);
  const profile = text(config.profile);
  return {
    bucket,
    prefix: path.join('/'),
    ...(endpoint && { endpoint }),
    ...(region && { region }),
    ...(profile && { profile }),
    ...(accessKeyId &&
      secretAccessKey && {
        credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) },
      }),
  };
}

function httpSettings(config: RemoteConfig & { url: string }) {
  const method = text(config.method)?.toUpperCase() === 'PUT' ? ('PUT' as const) : ('POST' as const);
  return {
    url: config.url,
    headers: httpHeaders(config),
    method,
    verifyTls: text(config.ssl_verify)?.toLowerCase() !== 'false',
  };
}

function httpHeaders(config: RemoteConfig & { url: string }): Record<string, string> {
  const auth = text(config.auth)?.toLowerCase();
  const user = text(config.user);
  const password = text(config.password);
  const header = text(config.custom_auth_header);
  switch (auth) {
    case undefined:
    case '':
      return {};
    case 'basic':
      if (user === undefined || password === undefined) throw lacking(config.url, 'user and password');
      return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
    case 'custom':
      if (header === undefined || password === undefined)
        throw lacking(config.url, 'custom_auth_header and password');
      return { [header]: password };
    default:
      throw new RetrainError(
        'CONFIG_INVALID',
        `remote ${config.url}: auth = ${auth}; expected basic or custom`,
      );
  }
}

function lacking(url: string, what: string): RetrainError {
  return new RetrainError(
    'CONFIG_INVALID',
    `remote ${url} needs ${what}; set them with \`dvc remote modify --local\``,
  );
}

function text(value: ConfigValue | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}
