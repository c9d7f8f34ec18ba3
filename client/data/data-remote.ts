import { remoteNamed, type RemoteConfig } from '../../integrations/dvc/dvc-config';
import { openRemote } from '../../pipeline/open-remote';
import { type Workspace } from '../../integrations/dvc/workspace';
import { type ObjectStorage } from '../../integrations/files/object-storage';
import { type ClientConfig } from '../config';

/** Settings of an S3 remote and the variables that stand in for those that DVC's configuration leaves open. */
const S3_VARIABLES = {
  access_key_id: 'AWS_ACCESS_KEY_ID',
  secret_access_key: 'AWS_SECRET_ACCESS_KEY',
  session_token: 'AWS_SESSION_TOKEN',
  region: 'AWS_REGION',
} as const;

/**
 * The data remote of a workspace.
 *
 * @param name default: `core.remote` of DVC's configuration
 * @throws RetrainError CONFIG_INVALID when there is none
 */
export async function openDataRemote(
  { env }: ClientConfig,
  workspace: Workspace,
  name?: string,
): Promise<ObjectStorage> {
  const config = remoteNamed(workspace.config, name);
  const endpoint = env['S3_ENDPOINT_URL'];
  return openRemote(
    config.url.startsWith('s3://') ? withEnvironment(config, env) : config,
    endpoint ? { s3Endpoint: endpoint } : {},
  );
}

/** `.env` counts, which the AWS SDK does not read. A profile, and keys in DVC's own files, win. */
function withEnvironment<T extends RemoteConfig>(config: T, env: ClientConfig['env']): T {
  if (config['profile'] !== undefined || config['access_key_id'] !== undefined) return config;
  const found = Object.entries(S3_VARIABLES).flatMap(([key, variable]) => {
    const value = env[variable];
    return value ? [[key, value] as const] : [];
  });
  return { ...Object.fromEntries(found), ...config };
}
