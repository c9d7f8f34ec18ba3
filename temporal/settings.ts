import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { ConnectionOptions } from '@temporalio/client';
import { RetrainError } from '../contracts/errors';
import { type Environment } from '../integrations/files/dot-env';

/** Where Temporal's own tools look when nothing is configured. */
const DEFAULT_ADDRESS = '127.0.0.1:7233';

/** The connection options that clients and workers share. May hold an API key or a private key: never logged. */
export type TemporalConnectionOptions = Pick<ConnectionOptions, 'tls' | 'metadata'> & {
  address: string;
  apiKey?: string;
};

/** The server of the stack that `retrain up` left, as far as a connection needs it. */
export interface EmbeddedServer {
  temporal: { address: string; uiUrl: string | null; namespace: string; startedByUs: boolean };
}

export interface TemporalSettings {
  address: string;
  namespace: string;
  /** Base address of the Web UI without a trailing slash; null when it is not known. */
  uiUrl: string | null;
  connection: TemporalConnectionOptions;
}

/**
 * Which server to talk to, and how. In this order: the variables that Temporal's envconfig names
 * (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS*, TEMPORAL_PROFILE with
 * TEMPORAL_CONFIG_FILE), the stack that `retrain up` left, the default profile of the user's temporal.toml,
 * 127.0.0.1:7233.
 *
 * A server of our own stack is spoken to in plain text on the loopback interface: an API key or a TLS setting
 * that is meant for another server is kept from it.
 *
 * @param stack what `readStackFile` found
 * @throws RetrainError CONFIG_INVALID for a profile that is not there, or a key file that cannot be read
 */
export function temporalSettings(env: Environment, stack: EmbeddedServer | null): TemporalSettings {
  const embedded = namesServer(env) ? null : stack;
  if (embedded?.temporal.startedByUs === true) {
    const { address, uiUrl } = embedded.temporal;
    const namespace = env['TEMPORAL_NAMESPACE'] || embedded.temporal.namespace;
    return { address, namespace, uiUrl, connection: { address } };
  }
  const { connectionOptions, namespace } = fromEnvironment(env);
  const address = embedded?.temporal.address ?? connectionOptions.address ?? DEFAULT_ADDRESS;
  return {
    address,
    namespace: namespace ?? embedded?.temporal.namespace ?? 'default',
    uiUrl: env['TEMPORAL_UI_URL']?.replace(/\/+$/, '') || embedded?.temporal.uiUrl || guessUiUrl(address),
    connection: {
      address,
      ...(connectionOptions.tls != null && { tls: connectionOptions.tls }),
      ...(typeof connectionOptions.apiKey === 'string' && { apiKey: connectionOptions.apiKey }),
      ...(connectionOptions.metadata && { metadata: connectionOptions.metadata }),
    },
  };
}

/** Whether the environment names a server, so that none is started and the stack file does not count. */
export function namesServer(env: Environment): boolean {
  return Boolean(env['TEMPORAL_ADDRESS'] || env['TEMPORAL_PROFILE']);
}

function fromEnvironment(env: Environment): ReturnType<typeof loadClientConnectConfig> {
  const given = Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1]));
  try {
    return loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(given) });
  } catch (error) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `Temporal's settings cannot be read: ${error instanceof Error ? error.message : String(error)}; check the TEMPORAL_* variables and temporal.toml`,
      { cause: error },
    );
  }
}

/** The dev server's Web UI is 1000 ports above its frontend; Temporal Cloud's has one address. */
function guessUiUrl(address: string): string | null {
  const [, host = '', port = '7233'] = /^(.*?)(?::(\d+))?$/.exec(address) ?? [];
  if (/\.(tmprl\.cloud|api\.temporal\.io)$/.test(host)) return 'https://cloud.temporal.io';
  if (host === 'localhost' || host === '127.0.0.1') return `http://${host}:${Number(port) + 1000}`;
  return null;
}
