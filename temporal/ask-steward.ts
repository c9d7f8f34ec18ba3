import { type Client } from '@temporalio/client';
import { stewardWorkflowId, type UPDATE, WORKFLOW } from '../contracts/names';
import { type ProjectIdentity } from '../contracts/project-identity';
import { type StewardInput } from '../contracts/steward';
import { askLasting } from './ask-lasting';

export interface StewardAsk {
  client: Client;
  taskQueue: string;
  /** Whose the steward is when this ask starts it; absent: nobody's that is known. */
  project?: ProjectIdentity;
  model: string;
  /** What is asked: a name of `UPDATE`. */
  update: (typeof UPDATE)[keyof typeof UPDATE];
  args: unknown;
  /** The same for every try of one ask; made up when absent. */
  id?: string;
  signal?: AbortSignal;
}

/**
 * Asks a model's steward, and starts it if it does not run: see `askLasting`.
 *
 * @throws RetrainError the steward's refusal; NO_WORKER when no worker polls its task queue
 */
export function askSteward<T>({ model, ...ask }: StewardAsk): Promise<T> {
  return askLasting<T>({
    ...ask,
    workflowId: stewardWorkflowId(model),
    who: `the steward of ${model}`,
    from: 'the ledger in MLflow',
    start: {
      workflowType: WORKFLOW.modelSteward,
      args: [{ model } satisfies StewardInput],
      staticSummary: `steward of ${model}`,
      staticDetails: `The only one that moves the aliases of **${model}**. Its ledger: \`retrain history ${model}\`.`,
    },
  });
}
