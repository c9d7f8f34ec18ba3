import { RetrainError } from '../../contracts/errors';

/**
 * An error that names a file of the project by its path on this machine, saying it as params.yaml does.
 *
 * @param key of params.yaml that names the file
 */
export function relabelled(error: unknown, file: string, shown: string, key = 'data.path'): unknown {
  if (!(error instanceof RetrainError)) return error;
  return new RetrainError(
    error.code,
    error.message.replaceAll(file, shown).replaceAll('correct data.path', `correct ${key}`),
    { cause: error },
  );
}
