import { type LiveModel, type Role } from '../reload/live-model';
import { ruleOf } from '../model/signals';
import { type ApiContext } from './context';

/** What `GET /model/info` answers, and the page shows; null while there is no model. */
export function modelInfo(
  context: Pick<ApiContext, 'models' | 'metrics' | 'answering'>,
): Record<string, unknown> | null {
  const { models, answering } = context;
  const live = models.production();
  if (live === null) return null;
  const { facts, served } = live;
  const canary = models.canary();
  const shadow = models.shadow();
  return {
    model_name: facts.name,
    model_version: facts.version,
    model_stage: facts.stage,
    alias: facts.alias,
    run_id: facts.runId,
    data_hash: facts.dataHash,
    git_commit: facts.gitCommit,
    metrics: facts.metrics,
    task: served.task,
    engine: served.engine,
    classes: served.classes,
    cutoff: served.cutoff,
    signal: ruleOf(served),
    signature: signatureOf(live),
    signed: facts.signed,
    example: facts.example,
    loaded_at: new Date(facts.loadedAt).toISOString(),
    answered: countsOf(context, live, 'production'),
    canary:
      canary === null
        ? null
        : {
            model_version: canary.live.facts.version,
            percent: canary.percent,
            answered: countsOf(context, canary.live, 'canary'),
          },
    shadow:
      shadow === null
        ? null
        : {
            model_version: shadow.facts.version,
            answered: countsOf(context, shadow, 'shadow'),
            compared: comparisonOf(shadow, answering),
          },
  };
}

/** The columns that it takes and what it gives, in words that a caller can send rows by. */
function signatureOf({ served }: LiveModel): object {
  return {
    inputs: served.fields.map(({ name, type, levels, ...field }) => ({ name, type, ...field, levels })),
    outputs:
      served.task === 'regression'
        ? [{ name: 'prediction', type: 'number' }]
        : [
            { name: 'prediction', type: 'label' },
            { name: 'probabilities', type: 'number' },
          ],
  };
}

function countsOf({ metrics }: Pick<ApiContext, 'metrics'>, live: LiveModel, role: Role): object {
  const { rows, byClass } = metrics.countsOf(live, role);
  return { rows, by_class: { ...byClass } };
}

function comparisonOf(shadow: LiveModel, { shadow: listener }: ApiContext['answering']): object {
  const { rows, disagreed, meanDifference, failed, missed } = listener.comparisonOf(shadow);
  return { rows, disagreed, mean_difference: meanDifference, failed, missed };
}
