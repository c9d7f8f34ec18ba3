import { Connection } from '@temporalio/client';
import { RetrainError } from '../contracts/errors';
import type { TemporalSettings } from './settings';

/** Long enough for a TLS handshake across an ocean, short enough for someone who waits at a prompt. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Connects to the server, and fails at once when none answers.
 *
 * @throws RetrainError TEMPORAL_UNREACHABLE with the address and the reason
 */
export async function connect(
  settings: TemporalSettings,
  options: { timeoutMs?: number } = {},
): Promise<Connection> {
  try {
    return await Connection.connect({
      ...settings.connection,
      connectTimeout: options.timeoutMs ?? CONNECT_TIMEOUT_MS,
    });
  } catch (error) {
    throw new RetrainError(
      'TEMPORAL_UNREACHABLE',
      `no Temporal server answers at ${settings.address} (${reasonOf(error)}); start one with \`retrain up\`, or correct TEMPORAL_ADDRESS`,
      { cause: error },
    );
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { details } = error as { details?: string };
  return details !== undefined && details !== '' ? details : error.message;
}
