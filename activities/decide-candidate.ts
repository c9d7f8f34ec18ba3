import { type EvaluateOutput, type PromoteInput } from '../contracts/activities';
import { VERSION_TAG } from '../contracts/names';
import { type ComparisonFigures } from '../contracts/run';
import { ARTIFACT, Evaluation, type Metrics, type Scores } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';
import { contestOf, decidePromotion, type PromotionDecision } from '../ml/gate/decide-promotion';
import { readJson } from './read-json';

/**
 * What becomes of a candidate, by what evaluate wrote down. A champion that could not even be fetched never came to it: then the
 * ask says why.
 *
 * @throws RetrainError CONFIG_INVALID; ARTIFACT_MISSING without the evaluation
 */
export async function decideCandidate(
  store: ContentStore,
  { spec, championVersion, evaluated }: PromoteInput,
): Promise<PromotionDecision> {
  const written = evaluated.artifacts[ARTIFACT.evaluation];
  const evaluation =
    written === undefined ? askedOnly(evaluated) : Evaluation.parse(await readJson(store, written));
  const { championError, noBetter = null } = evaluated;
  return decidePromotion({
    ...contestOf(spec.params, { ...evaluation, championError }, championVersion),
    noBetter: spec.params.promote.beat_baseline ? noBetter : null,
  });
}

/** Of an ask without an evaluation: its figures, and nothing on the rows behind them. */
function askedOnly({ candidateMetrics, championMetrics, championError, rows }: EvaluateOutput): Evaluation {
  const scores = (metrics: Metrics): Scores => ({ metrics, perClass: [], confusion: [] });
  return {
    candidate: scores(candidateMetrics),
    champion: championMetrics === null ? null : scores(championMetrics),
    championError,
    rows,
  };
}

/** The comparison that decided, as a version's tags; none when there was none. */
export function comparisonTags(
  comparison: ComparisonFigures | null,
  championVersion: string | null,
): Record<string, string> {
  if (comparison === null || championVersion === null) return {};
  const { metric, rows, difference, interval } = comparison;
  const short = (value: number): string => String(Number(value.toPrecision(6)));
  return {
    [VERSION_TAG.comparedWith]: championVersion,
    [VERSION_TAG.comparedRows]: String(rows),
    [VERSION_TAG.comparedMetric]: metric,
    [VERSION_TAG.difference]: short(difference),
    ...(interval === null
      ? {}
      : {
          [VERSION_TAG.differenceInterval]: `${short(interval.low)} … ${short(interval.high)} (${short(interval.level * 100)} %)`,
        }),
  };
}
