import { statSync } from 'node:fs';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { type ModelShelf } from '../../pipeline/model/fetch-model';
import { type CheckedModel, type CheckedOptions, openChecked } from './open-checked';

/** A model that was named by its folder or by the registry's words, checked and opened. */
export interface NamedModel extends CheckedModel {
  /** Null: a folder, which is in no registry. */
  registered: { name: string; version: string; mlflowRunId: string | null; fresh: boolean } | null;
}

/**
 * Opens a model by a folder, or as `iris-classifier@production`, `iris-classifier@3`, `models:/iris-classifier/3`.
 *
 * @param base what a relative folder is relative to
 * @throws RetrainError as `fetchChecked`; DATA_NOT_FOUND for what is neither
 */
export async function openReference(
  text: string,
  base: string,
  shelf: ModelShelf,
  options: CheckedOptions,
): Promise<NamedModel> {
  const dir = path.resolve(base, text);
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true) {
    return { ...(await openChecked(dir, options)), registered: null };
  }
  if (/^\.{0,2}\//.test(text)) {
    throw new RetrainError(
      'DATA_NOT_FOUND',
      `${text}: no such folder; name the folder of a model, or a registered one as iris-classifier@production`,
    );
  }
  // What talks to MLflow takes longer to load than a folder takes to open.
  const [{ parseModelReference }, { fetchChecked }] = await Promise.all([
    import('../../integrations/mlflow/registered-run.js'),
    import('./fetch-checked.js'),
  ]);
  const { name, version, mlflowRunId, fresh, ...opened } = await fetchChecked(
    shelf,
    parseModelReference(text),
    options,
  );
  return { ...opened, registered: { name, version, mlflowRunId, fresh } };
}
