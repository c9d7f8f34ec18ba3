import { z } from 'zod';
import { RetrainError } from '../../contracts/errors';
import { alreadyExists, notFound } from './errors';
import type { MlflowTransport } from './transport';

const Experiment = z.looseObject({
  experiment_id: z.string(),
  name: z.string(),
  lifecycle_stage: z.string().default('active'),
});
const Found = z.looseObject({ experiment: Experiment });
const Page = z.looseObject({
  experiments: z.array(Experiment).default([]),
  next_page_token: z.string().optional(),
});
const Created = z.looseObject({ experiment_id: z.string() });

/** MLflow’s experiments: the folders that hold runs. */
export class Experiments {
  constructor(private readonly transport: MlflowTransport) {}

  /** Id of the experiment of that name, or null when there is none. @throws RetrainError CONFIG_INVALID when it is deleted */
  async find(name: string, signal?: AbortSignal): Promise<string | null> {
    try {
      const { experiment } = await this.transport.get(
        'experiments/get-by-name',
        { experiment_name: name },
        Found,
        { signal },
      );
      // MLflow keeps the name of a deleted experiment taken, and refuses runs in it.
      if (experiment.lifecycle_stage === 'deleted') throw deleted(name, experiment.experiment_id);
      return experiment.experiment_id;
    } catch (error) {
      if (notFound(error)) return null;
      throw error;
    }
  }

  /** Ids of all active experiments. */
  async listIds(signal?: AbortSignal): Promise<string[]> {
    const ids: string[] = [];
    let token: string | undefined;
    do {
      const page = await this.transport.post(
        'experiments/search',
        { max_results: 1000, ...(token === undefined ? {} : { page_token: token }) },
        Page,
        { signal },
      );
      ids.push(...page.experiments.map((experiment) => experiment.experiment_id));
      token = page.next_page_token === '' ? undefined : page.next_page_token;
    } while (token !== undefined);
    return ids;
  }

  /**
   * Id of the experiment of that name, made if need be. Safe to repeat and to race: names are unique on the server, so
   * whoever loses finds the winner’s.
   */
  async ensure(name: string, signal?: AbortSignal): Promise<string> {
    const existing = await this.find(name, signal);
    if (existing !== null) return existing;
    try {
      return (await this.transport.post('experiments/create', { name }, Created, { signal })).experiment_id;
    } catch (error) {
      if (!alreadyExists(error)) throw error;
      const winner = await this.find(name, signal);
      if (winner === null) throw error;
      return winner;
    }
  }
}

function deleted(name: string, id: string): RetrainError {
  return new RetrainError(
    'CONFIG_INVALID',
    `experiment: ${name} is deleted in MLflow (id ${id}), expected an active one; restore it with \`mlflow experiments restore --experiment-id ${id}\`, or choose another name`,
  );
}
