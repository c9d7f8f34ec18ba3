import { type UPDATE } from '../../contracts/names';
import { type HandAnswer } from '../../contracts/steward';
import { askSteward } from '../../temporal/ask-steward';
import { type ClientConfig } from '../config';
import { withTemporal } from '../run/temporal-session';

/**
 * Asks a model's steward on behalf of the person at the terminal.
 *
 * @throws RetrainError the steward's refusal, with its code
 */
export async function askByHand(
  config: ClientConfig,
  model: string,
  update: (typeof UPDATE)[keyof typeof UPDATE],
  args: object,
): Promise<HandAnswer> {
  return withTemporal(config, ({ client }) =>
    askSteward<HandAnswer>({ client, taskQueue: config.taskQueue, model, update, args }),
  );
}
