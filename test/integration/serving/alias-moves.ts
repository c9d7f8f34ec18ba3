import { type Mlflow } from '../../../integrations/mlflow/client';
import { type Said, type ServedProject } from './served';

/** A row between two species: forests of different sizes answer it with different probabilities. */
export const BETWEEN = { sepal_length: 6.0, sepal_width: 2.7, petal_length: 4.9, petal_width: 1.7 };

/** What callers saw while the alias moved. */
export interface Moves {
  answers: number;
  /** Answers by version. */
  byVersion: Record<string, number>;
  /** Answers that are no 200, or whose probabilities are another version's. */
  wrong: Said[];
}

/**
 * Keeps 32 connections busy while the alias production goes to and fro between two versions.
 *
 * @param least answers, after which it ends once all moves are made
 */
export async function underMoves(
  api: ServedProject,
  mlflow: Mlflow,
  model: string,
  { moves, least }: { moves: number; least: number },
): Promise<Moves> {
  const truth: Record<string, string> = {};
  for (const version of ['2', '1']) {
    await mlflow.registry.setAlias(model, 'production', version);
    await api.serves(version);
    truth[version] = probabilities(await api.ask('/predict', BETWEEN));
  }
  if (truth['1'] === truth['2']) throw new Error('the two versions cannot be told apart by this row');
  const seen: Moves = { answers: 0, byVersion: {}, wrong: [] };
  let moving = true;
  const caller = async (): Promise<void> => {
    while (moving || seen.answers < least) {
      const said = await api.ask('/predict', BETWEEN);
      const version = String(said.body['model_version']);
      seen.answers++;
      seen.byVersion[version] = (seen.byVersion[version] ?? 0) + 1;
      if (said.status !== 200 || probabilities(said) !== truth[version]) seen.wrong.push(said);
    }
  };
  const callers = Array.from({ length: 32 }, caller);
  for (let move = 0; move < moves; move++) {
    const version = move % 2 === 0 ? '2' : '1';
    await mlflow.registry.setAlias(model, 'production', version);
    await api.serves(version);
  }
  moving = false;
  await Promise.all(callers);
  return seen;
}

const probabilities = ({ body }: Said): string => JSON.stringify(body['probabilities']);
