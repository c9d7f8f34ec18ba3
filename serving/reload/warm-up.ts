import { RetrainError } from '../../contracts/errors';
import { type ServedModel } from '../model/served-model';

/** So often a model of ours answers before it goes into service: its code is compiled by then. */
const ROUNDS = 200;
/** And no longer than this, in ms: nobody is to wait for it. */
const MOST_MS = 250;

/**
 * Has a model answer its own input example, so that the first caller does not wait, and one that cannot answer at all is noticed before
 * it is anybody's.
 *
 * @throws RetrainError MODEL_INVALID
 */
export async function warmUp(model: ServedModel, example: readonly unknown[]): Promise<void> {
  if (example.length === 0) return;
  const until = performance.now() + MOST_MS;
  for (let round = 0; round < ROUNDS && performance.now() < until; round++) {
    const read = model.read(example);
    if ('mistakes' in read) {
      const [first] = read.mistakes;
      throw new RetrainError(
        'MODEL_INVALID',
        `it does not take its own input example: ${first?.field ?? 'a row'} is ${first?.seen ?? 'wrong'}, expected ${first?.expected ?? 'another'}; log the model again with an example that fits its signature`,
      );
    }
    await model.score(read.batch);
  }
}
