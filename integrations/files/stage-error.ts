import { join } from 'node:path';
import { type RetrainError } from '../../contracts/errors';
import { StageError } from '../../contracts/stage';
import { fromStageError } from '../../contracts/stage-error';
import { readBounded } from './read-bounded';

const MOST_BYTES = 64 * 1024;

/**
 * The error that a stage left in out/error.json: the only way an error leaves a process or a container. Null when there is
 * none, or nothing that can be read as one; then its exit code and its log say what happened.
 *
 * @param dir folder of the stage contract
 */
export async function stageErrorIn(dir: string): Promise<RetrainError | null> {
  const text = await readBounded(join(dir, 'out', 'error.json'), 'out/error.json', MOST_BYTES).catch(
    () => null,
  );
  return text === null ? null : parseStageError(text);
}

function parseStageError(text: string): RetrainError | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = StageError.safeParse(value);
  return parsed.success ? fromStageError(parsed.data) : null;
}
