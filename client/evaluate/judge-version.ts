import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { ALIAS, VERSION_TAG } from '../../contracts/names';
import { type Params } from '../../contracts/params';
import { type TrainingResult } from '../../contracts/run';
import { ARTIFACT, type Artifact, Evaluation } from '../../contracts/stage';
import { promotionMetric } from '../../contracts/task-metrics';
import { type ContentStore } from '../../integrations/dvc/content-store';
import { type Mlflow } from '../../integrations/mlflow/client';
import { findVersion, type ModelReference } from '../../integrations/mlflow/registered-run';
import { type ModelVersion } from '../../integrations/mlflow/registry-record';
import { checkModel } from '../../integrations/signing/check-model';
import { noBetterThanBaseline } from '../../ml/gate/beats-baseline';
import { contestOf, decidePromotion, type PromotionDecision } from '../../ml/gate/decide-promotion';
import { fetchChampion } from '../../pipeline/champion';
import { computeStage } from '../../pipeline/compute-stage';
import { fetchModel } from '../../pipeline/model/fetch-model';
import { byName, inputsOf } from '../../pipeline/stage';
import { type ClientConfig } from '../config';
import { openProjectStore } from '../data/project-store';
import { readRecord } from '../reproduce/record';
import { type ProgressLine } from '../terminal/progress-line';
import { type HeldOut, ownRows, rowsOf } from './held-out';
import { type Judge, makeJudge } from './judge';
import { judgedParams, type JudgedBy } from './judged-params';

/** What a registered version comes to when it is judged again. */
export interface Judgement extends Omit<PromotionDecision, 'outcome'> {
  model: string;
  version: string;
  aliases: string[];
  /** As a run would end now; `in_production`: there it is, so there is nothing to compare it with. */
  outcome: TrainingResult['outcome'] | 'in_production';
  rows: Omit<HeldOut, 'artifacts'>;
  evaluation: Evaluation;
  /** Production, when it is another version. */
  champion: string | null;
}

export interface JudgeOptions extends JudgedBy {
  /** A table to score it on; absent: its own held-out rows. */
  data?: string;
}

/**
 * Judges a registered version once more, by a gate and a policy of today, against what is production now. Trains nothing and moves
 * nothing. Its files are held against its provenance first; evaluate runs as it does in a run.
 *
 * @throws RetrainError NOT_FOUND, VERIFICATION_FAILED, DATA_NOT_FOUND, DATA_INVALID, MODEL_INVALID, CONFIG_INVALID
 */
export async function judgeVersion(
  config: ClientConfig,
  mlflow: Mlflow,
  reference: ModelReference,
  options: JudgeOptions,
  { progress, signal }: { progress: ProgressLine | null; signal: AbortSignal },
): Promise<Judgement> {
  const version = await findVersion(mlflow, reference, signal);
  const { model } = reference;
  const recorded = await readRecord(mlflow, { model, by: { version: version.version } }, signal);
  const params = await judgedParams(config.project, recorded.params, options);
  const opened = await openProjectStore(config);
  try {
    const { store } = opened;
    const judge = await makeJudge({ config, mlflow, store, version, recorded, signal }, progress);
    const onnx = await checkedModel(judge);
    const rows = await (options.data === undefined ? ownRows(judge) : rowsOf(judge, options.data));
    const champion = await fetchChampion(mlflow, store, model, signal);
    // With production itself there is nothing to compare.
    const compared = champion?.version === version.version ? null : champion;
    const work = computeStage('evaluate', params, judge.code, recorded.images);
    const inputs = { ...rows.artifacts, ...compared?.artifacts, [ARTIFACT.model]: onnx };
    const { outputs } = await judge.runStage('evaluate', work, inputsOf('evaluate', inputs, params));
    const evaluation = await readEvaluation(store, byName(outputs)[ARTIFACT.evaluation]);
    const { artifacts: _, ...shown } = rows;
    return {
      ...{ model, version: version.version, aliases: recorded.aliases, rows: shown, evaluation },
      ...decide(params, evaluation, version, champion, compared?.error),
      champion: compared?.version ?? null,
    };
  } finally {
    opened.close();
  }
}

/** As the pipeline and the steward would now. */
function decide(
  params: Params,
  evaluation: Evaluation,
  version: ModelVersion,
  champion: { version: string } | null,
  championError: string | undefined,
): Omit<PromotionDecision, 'outcome'> & Pick<Judgement, 'outcome'> {
  const isProduction = champion?.version === version.version;
  const compared = isProduction ? null : (champion?.version ?? null);
  const scored = championError === undefined ? evaluation : { ...evaluation, championError };
  const decision = decidePromotion({
    ...contestOf(params, scored, compared),
    noBetter: params.promote.beat_baseline ? noBetterThanBaseline(evaluation, promotionMetric(params)) : null,
  });
  if (decision.outcome !== 'promoted') return decision;
  if (isProduction) {
    const reason = 'it is in production: there is nothing to compare it with';
    return { ...decision, outcome: 'in_production', reason };
  }
  const staged = { ...decision, alias: ALIAS.staging };
  const rolledBack = version.tags[VERSION_TAG.rolledBack] ?? '';
  if (rolledBack !== '') {
    const reason = `${decision.reason}, but it was rolled back ${rolledBack}: a run leaves it where it is; promote it by hand`;
    return { ...staged, outcome: 'staged', reason };
  }
  return params.promote.approval === 'none' ? decision : { ...staged, outcome: 'awaiting_approval' };
}

/** model.onnx of the version, once its files are those that were made. */
async function checkedModel({ config, store, recorded, signal }: Judge): Promise<Artifact> {
  const { model, version, mlflowRunId } = recorded;
  const shelf = { mlflow: config.mlflow, dir: path.join(config.state, 'models') };
  const { dir } = await fetchModel(shelf, { model, by: { version } }, signal);
  const claimed = { model, version, mlflowRunId };
  await checkModel(dir, { what: `${model} v${version}`, publicKey: null, claimed, signal });
  return store.put(path.join(dir, ARTIFACT.model), ARTIFACT.model, { signal });
}

async function readEvaluation(store: ContentStore, artifact: Artifact | undefined): Promise<Evaluation> {
  if (artifact === undefined) throw new RetrainError('STAGE_FAILED', 'evaluate left no evaluation');
  return Evaluation.parse(JSON.parse(await readFile(store.pathOf(artifact.md5), 'utf8')));
}
