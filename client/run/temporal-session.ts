import { Client } from '@temporalio/client';
import { fromFailedRun, fromTemporal } from '../../temporal/errors';
import { connect } from '../../temporal/connect';
import { temporalSettings, type TemporalSettings } from '../../temporal/settings';
import { type ClientConfig } from '../config';

export interface TemporalSession {
  client: Client;
  settings: TemporalSettings;
}

/**
 * Connects, works, disconnects. Loads gRPC, so commands import this file only when they need the server.
 *
 * @throws RetrainError for every error of the server or of a run that was waited for
 */
export async function withTemporal<T>(
  config: ClientConfig,
  work: (session: TemporalSession) => Promise<T>,
  options: Parameters<typeof connect>[1] = {},
): Promise<T> {
  const settings = temporalSettings(config.env, config.stack);
  const connection = await connect(settings, options);
  try {
    return await work({ client: new Client({ connection, namespace: settings.namespace }), settings });
  } catch (error) {
    throw fromTemporal(fromFailedRun(error), settings.address);
  } finally {
    await connection.close();
  }
}
