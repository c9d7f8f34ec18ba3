import { type TrainingResult } from '../../contracts/run';
import { ALIAS } from '../../contracts/names';
import { type Standing } from '../../integrations/mlflow/version-standing';
import { paint } from './screen';

/**
 * The first line of a result: what became of the model, and where it stands now, which others may have changed since.
 *
 * @param standing null: MLflow did not say; then it is as it was when the run ended.
 */
export function headline(result: TrainingResult, standing: Standing | null): string {
  const named = `${result.model} v${result.modelVersion}`;
  const now = standing ?? asItEnded(result);
  if (!now.exists) {
    return paint.bad(
      paint.strong(
        `${named} was ${WAS[result.outcome]} and has been deleted in MLflow since; ${inProduction(now)}. A new one: retrain start --force`,
      ),
    );
  }
  if (result.outcome === 'gate_failed') {
    const kept = now.aliases.includes(ALIAS.production)
      ? 'it is in production all the same'
      : inProduction(now);
    return paint.bad(paint.strong(`${named} did not pass the quality gate; ${kept}`));
  }
  if (now.aliases.includes(ALIAS.production)) return paint.good(paint.strong(`${named} is in production`));
  if (now.aliases.includes(ALIAS.staging))
    return paint.strong(`${named} is in staging; ${inProduction(now)}`);
  return paint.strong(`${named} was ${WAS[result.outcome]}; ${inProduction(now)} now`);
}

const WAS: Record<TrainingResult['outcome'], string> = {
  promoted: 'promoted',
  staged: 'staged',
  awaiting_approval: 'better than production and left for approval',
  gate_failed: 'registered below the quality gate',
};

function inProduction({ production }: Standing): string {
  return production === null ? 'nothing is in production' : `v${production} is in production`;
}

function asItEnded({ alias, modelVersion, champion }: TrainingResult): Standing {
  return {
    exists: true,
    aliases: alias === null ? [] : [alias],
    production: alias === ALIAS.production ? modelVersion : (champion?.version ?? null),
  };
}
