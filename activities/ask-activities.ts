import { type Client } from '@temporalio/client';
import { type PipelineActivities, type PromoteOutput } from '../contracts/activities';
import { UPDATE } from '../contracts/names';
import { askSteward } from '../temporal/ask-steward';
import { fromTemporal } from '../temporal/errors';
import { withHeartbeat } from './heartbeat';

export interface AskDeps {
  client: Client;
  /** For messages. */
  address: string;
  taskQueue: string;
}

/** Idempotent: an ask has the same id in every attempt, by which the steward gives the same answer. */
export function createAskActivities({
  client,
  address,
  taskQueue,
}: AskDeps): Pick<PipelineActivities, 'askSteward'> {
  return {
    async askSteward(args) {
      const { model } = args.spec.params;
      return withHeartbeat(async (signal) => {
        try {
          const ask = { client, taskQueue, model, update: UPDATE.decide, args, id: args.id, signal };
          return await askSteward<PromoteOutput>(ask);
        } catch (error) {
          throw fromTemporal(error, address);
        }
      });
    },
  };
}
