import { type MlflowSettings } from '../../integrations/mlflow/settings';
import { parseModelReference } from '../../integrations/mlflow/registered-run';
import { fetchChecked } from '../model/fetch-checked';
import { aboutModel } from '../tables/about-model';
import { predictTable } from '../tables/predict-table';

export interface TableScorerOptions {
  /** The project's folder, absolute. */
  project: string;
  mlflow: MlflowSettings;
  /** Folder of the copies of models, absolute. */
  shelf: string;
  /** In PEM; null: signatures are not checked. */
  publicKey: string | null;
}

/** A table to be scored; paths are absolute. */
export interface TableRequest {
  data: string;
  /** Its name for messages. */
  shown: string;
  model: string;
  modelVersion: string;
  out: string;
}

/**
 * Scores tables with registered models, by their version; all of a table's columns are kept beside the answers. They are read as those of
 * the model's training. A model is fetched, checked
 * and opened for each table, which costs little against the scoring.
 *
 * @throws RetrainError as `fetchChecked` and `predictTable`
 */
export function tableScorer({ project, mlflow, shelf, publicKey }: TableScorerOptions) {
  return async (
    { data, shown, model, modelVersion, out }: TableRequest,
    { signal, onRows }: { signal: AbortSignal; onRows: (rows: number) => void },
  ): Promise<{ rows: number }> => {
    // Never a folder of the project that is named like it.
    const reference = parseModelReference(`${model}@${modelVersion}`);
    const opened = await fetchChecked({ mlflow, dir: shelf }, reference, {
      publicKey,
      signal,
      judge: 'beside',
    });
    try {
      const { name, version, mlflowRunId, fresh, card, judged, ...checked } = opened;
      const about = await aboutModel({ ...checked, registered: { name, version, mlflowRunId, fresh } }, card);
      const work = {
        dataPath: data,
        file: shown,
        out,
        model: opened.model,
        judged,
        about,
        columns: 'all' as const,
      };
      return await predictTable({ ...work, rules: card.rules, project, signal, onProgress: onRows });
    } finally {
      await Promise.allSettled([opened.model.close(), opened.judged.then((other) => other.close())]);
    }
  };
}

export type ScoreTable = ReturnType<typeof tableScorer>;
