import { Connection, type ConnectionOptions } from '@temporalio/client';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { RetrainError } from '../contracts/errors';
import type { TemporalSettings } from './settings';

/** Long enough for a TLS handshake across an ocean, short enough for someone who waits at a prompt. */
const REMOTE_TIMEOUT_MS = 10_000;

/**
 * A server on this machine refuses at once or accepts; fifty clients that start at the same moment on two cores need
 * more than 5 s until each has read its answer.
 */
const LOCAL_TIMEOUT_MS = 60_000;

/** gRPC goes by http_proxy and https_proxy; to this machine itself no company's proxy leads. */
const WITHOUT_PROXY = { 'grpc.enable_http_proxy': 0 };

/** gRPC's own longest wait before it looks whether a server is back is two minutes. */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 500, 'grpc.max_reconnect_backoff_ms': 5000 };

/**
 * Connects to the server, and fails at once when none listens on this machine.
 *
 * @throws RetrainError TEMPORAL_UNREACHABLE with the address and the reason
 */
export async function connect(
  settings: TemporalSettings,
  options: { timeoutMs?: number; interceptors?: NonNullable<ConnectionOptions['interceptors']> } = {},
): Promise<Connection> {
  const port = localPort(settings.address);
  const channelArgs = { ...RECONNECT, ...(port === null ? {} : WITHOUT_PROXY) };
  try {
    if (port !== null) await knock(port);
    return await Connection.connect({
      ...settings.connection,
      channelArgs,
      ...(options.interceptors === undefined ? {} : { interceptors: options.interceptors }),
      connectTimeout: options.timeoutMs ?? (port === null ? REMOTE_TIMEOUT_MS : LOCAL_TIMEOUT_MS),
    });
  } catch (error) {
    throw new RetrainError(
      'TEMPORAL_UNREACHABLE',
      `no Temporal server answers at ${settings.address} (${reasonOf(error)}); start one with \`retrain up\`, or correct TEMPORAL_ADDRESS`,
      { cause: error },
    );
  }
}

/** The port of an address on the loopback interface; null for any other address. */
function localPort(address: string): number | null {
  const [whole, port] = /^(?:127\.0\.0\.1|localhost)(?::(\d+))?$/.exec(address) ?? [];
  return whole === undefined ? null : Number(port ?? 7233);
}

/** gRPC would try again and again until its time is over. Rejects when nobody listens. */
async function knock(port: number): Promise<void> {
  const socket = createConnection({ host: 'localhost', port });
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { details } = error as { details?: string };
  return details !== undefined && details !== '' ? details : error.message;
}
