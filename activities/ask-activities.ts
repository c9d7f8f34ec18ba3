import { type Client } from '@temporalio/client';
import { type PipelineActivities, type PromoteOutput } from '../contracts/activities';
import { UPDATE } from '../contracts/names';
import { type ProjectIdentity } from '../contracts/project-identity';
import { type ContentStore } from '../integrations/dvc/content-store';
import { type Mlflow } from '../integrations/mlflow/client';
import { askSteward } from '../temporal/ask-steward';
import { fromTemporal } from '../temporal/errors';
import { decideCandidate } from './decide-candidate';
import { makeEvidence } from './evidence';
import { withHeartbeat } from './heartbeat';
import { endingWithWords } from './last-attempt';

export interface AskDeps {
  client: Client;
  /** For messages. */
  address: string;
  taskQueue: string;
  mlflow: Mlflow;
  project: ProjectIdentity;
  /** Has the run's evaluation. */
  store: ContentStore;
}

/** Idempotent: an evidence pack is named by its content, and an ask has the same id in every attempt, by which the steward gives the same answer. */
export function createAskActivities({
  client,
  address,
  taskQueue,
  mlflow,
  project,
  store,
}: AskDeps): Pick<PipelineActivities, 'askSteward'> {
  return {
    async askSteward(args) {
      const { model } = args.spec.params;
      return withHeartbeat(async (signal) => {
        const [decision, evidence] = await endingWithWords(
          `the evaluation of version ${args.modelVersion}`,
          async () => {
            const made = await decideCandidate(store, args);
            return [made, await makeEvidence({ mlflow, store }, args, made, signal)] as const;
          },
        );
        const decided = { ...args, decision, ...(evidence === null ? {} : { evidence }) };
        try {
          const ask = {
            client,
            taskQueue,
            project,
            model,
            update: UPDATE.decide,
            args: decided,
            id: args.id,
            signal,
          };
          return await askSteward<PromoteOutput>(ask);
        } catch (error) {
          throw fromTemporal(error, address);
        }
      });
    },
  };
}
