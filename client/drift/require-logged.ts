import { type DriftReport } from '../../contracts/drift';
import { listed, RetrainError } from '../../contracts/errors';
import { isOfModel, listDays, listFolders } from '../../serving/log/day-folder';

/**
 * Somebody who asks about a log without a row wants to know why there is none.
 *
 * @param dir of the log
 * @throws RetrainError DATA_NOT_FOUND for a question about the log that has no row to answer it with
 */
export async function requireLogged(
  dir: string,
  { current, model, modelVersion }: DriftReport,
): Promise<void> {
  if (current.source !== 'log' || current.of > 0) return;
  const days = await listDays(dir);
  const where = `${model} v${modelVersion} in production from ${current.window?.from} to ${current.window?.to}`;
  if (days.length === 0) {
    throw new RetrainError(
      'DATA_NOT_FOUND',
      `there is no prediction log yet (${dir}): answer some requests first (retrain serve, or retrain up), or look at a table with --data FILE`,
    );
  }
  const others = new Set<string>();
  for (const day of days) {
    for (const folder of await listFolders(dir, day)) {
      if (isOfModel(folder, model))
        others.add(`v${decodeURIComponent(folder.slice(folder.lastIndexOf('@') + 1))}`);
    }
  }
  const known =
    others.size === 0
      ? `it has no row of ${model} at all`
      : `it has rows of ${listed([...others].sort())}, from ${days[0]} to ${days.at(-1)}`;
  throw new RetrainError(
    'DATA_NOT_FOUND',
    `the prediction log has no row of ${where}; ${known}: look at another time (--window, --until) or version (${model}@2), or at a table with --data FILE`,
  );
}
