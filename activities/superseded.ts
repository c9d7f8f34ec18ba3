import { RetrainError } from '../contracts/errors';
import { type Mlflow } from '../integrations/mlflow/client';
import { parseModelReference } from '../integrations/mlflow/registered-run';
import { servedVersion } from '../serving/model/fetch-checked';

/**
 * The version that a reference means by now, where another one than that which a check looked at: a promotion or a rollback came in between. Null where it is
 * the same, or the reference names a version, or an alias that is gone.
 *
 * @param asked `iris-classifier@production`; undefined: of a check of before, which did not tell
 */
export async function supersededBy(
  mlflow: Mlflow,
  asked: string | undefined,
  checked: string,
  signal: AbortSignal,
): Promise<string | null> {
  if (asked === undefined) return null;
  const reference = parseModelReference(asked);
  if ('version' in reference.by) return null;
  try {
    const { version } = await servedVersion(mlflow, reference, signal);
    return version === checked ? null : version;
  } catch (error) {
    if (error instanceof RetrainError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
