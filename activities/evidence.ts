import { type DecideInput } from '../contracts/steward';
import { type Evidence, evidencePath, SideBySide } from '../contracts/evidence';
import { ARTIFACT, Evaluation } from '../contracts/stage';
import { isDetail } from '../contracts/task-metrics';
import { type ContentStore } from '../integrations/dvc/content-store';
import { type Mlflow } from '../integrations/mlflow/client';
import { type PromotionDecision } from '../ml/gate/decide-promotion';
import { intervalOf } from '../ml/gate/paired-difference';
import { digestBytes } from '../ml/hashing/digest';
import { comparedRowsText } from '../ml/report/comparison-section';
import { evidenceHtml } from '../ml/report/evidence-html';
import { changesAgainst } from './evidence-changes';
import { readJson } from './read-json';

const MOST_SLICES = 50;
const MOST_CLASSES = 20;

/**
 * Makes the pack that somebody goes by who is to approve a winner, and puts it among the artifacts of its run: JSON, and a page.
 * Idempotent: the files are named by their content, and never change.
 *
 * @returns SHA-256 of the JSON; null for a candidate that nobody is asked about
 * @throws RetrainError ARTIFACT_MISSING; when MLflow does not answer
 */
export async function makeEvidence(
  { mlflow, store }: { mlflow: Mlflow; store: ContentStore },
  ask: DecideInput,
  decision: PromotionDecision,
  signal: AbortSignal,
): Promise<string | null> {
  if (ask.spec.params.promote.approval !== 'required' || decision.outcome !== 'promoted') return null;
  const run = await mlflow.runs.get(ask.mlflowRunId, signal);
  const pack = await packOf({ mlflow, store }, ask, decision, signal);
  const bytes = Buffer.from(`${JSON.stringify(pack, null, 1)}\n`);
  const { sha256 } = digestBytes(bytes);
  const page = Buffer.from(evidenceHtml(pack, sha256));
  await mlflow.artifacts.uploadBytes(run.artifactUri, evidencePath(sha256, 'html'), page, signal);
  await mlflow.artifacts.uploadBytes(run.artifactUri, evidencePath(sha256, 'json'), bytes, signal);
  return sha256;
}

async function packOf(
  { mlflow, store }: { mlflow: Mlflow; store: ContentStore },
  ask: DecideInput,
  { reason, gate, comparison: figures }: PromotionDecision,
  signal: AbortSignal,
): Promise<Evidence> {
  const { spec, modelVersion, championVersion, workflowId, mlflowRunId } = ask;
  const { artifacts } = ask.evaluated;
  const written = artifacts[ARTIFACT.evaluation];
  const evaluation = written === undefined ? null : Evaluation.parse(await readJson(store, written));
  const rowByRow = artifacts[ARTIFACT.sideBySide];
  const { pipelineKey, paramsHash, codeHash } = spec;
  return {
    ...({ format: 'retrain-evidence', version: 1 } as const),
    ...{ model: spec.params.model, modelVersion, champion: championVersion, reason },
    requestedBy: spec.user ?? null,
    ...{ gate, comparison: figures },
    rows: rowsText(ask, evaluation),
    changes: await changesAgainst(mlflow, ask, signal),
    metrics: evaluation === null ? bareMetrics(ask) : metricsOf(evaluation),
    baselines: (evaluation?.baselines ?? []).map(({ algorithm, scores }) => ({
      algorithm,
      metrics: scores.metrics,
    })),
    confusion: evaluation === null ? null : confusionOf(evaluation),
    sideBySide: rowByRow === undefined ? null : SideBySide.parse(await readJson(store, rowByRow)),
    slices: evaluation === null ? [] : slicesOf(evaluation),
    lineage: { pipelineKey, dataHash: spec.data.sha256, paramsHash, codeHash },
    ...{ workflowId, mlflowRunId },
  };
}

function rowsText({ championVersion, evaluated }: DecideInput, evaluation: Evaluation | null): string {
  const comparison = evaluation?.comparison;
  return comparison === undefined || championVersion === null
    ? `all ${evaluated.rows} held-out rows`
    : comparedRowsText(comparison, `version ${championVersion}`);
}

function metricsOf({ candidate, champion, comparison }: Evaluation): Evidence['metrics'] {
  const mine = comparison === undefined || comparison.rows === 0 ? candidate.metrics : comparison.candidate;
  const its = comparison?.champion ?? champion?.metrics ?? {};
  return Object.entries(mine)
    .filter(([metric]) => !isDetail(metric))
    .map(([metric, value]) => {
      const drawn = comparison?.differences[metric];
      return {
        metric,
        candidate: value,
        champion: its[metric] ?? null,
        interval: candidate.intervals?.[metric] ?? null,
        difference: drawn === undefined ? null : intervalOf(drawn, 0.95),
      };
    });
}

/** Of an ask without an evaluation. */
function bareMetrics({ evaluated: { candidateMetrics, championMetrics } }: DecideInput): Evidence['metrics'] {
  return Object.entries(candidateMetrics).map(([metric, candidate]) => ({
    ...{ metric, candidate, champion: championMetrics?.[metric] ?? null },
    ...{ interval: null, difference: null },
  }));
}

function confusionOf({ candidate: { confusion, perClass } }: Evaluation): Evidence['confusion'] {
  if (perClass.length === 0 || perClass.length > MOST_CLASSES) return null;
  return { labels: perClass.map(({ label }) => label), counts: confusion };
}

/** The worst first: where the candidate loses most against production. */
function slicesOf({ comparison }: Evaluation): Evidence['slices'] {
  if (comparison === undefined) return [];
  const sign = comparison.champion['mae'] === undefined ? 1 : -1;
  return [...comparison.slices]
    .sort((a, b) => sign * (a.candidate - a.champion) - sign * (b.candidate - b.champion))
    .slice(0, MOST_SLICES);
}
