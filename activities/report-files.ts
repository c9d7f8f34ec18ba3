import { type Artifacts, type PublishInput } from '../contracts/activities';
import { REPORT } from '../contracts/names';
import { type TrainingResult } from '../contracts/run';
import { ARTIFACT, Evaluation, TableProfile, TrainingNotes } from '../contracts/stage';
import { type ContentStore } from '../integrations/dvc/content-store';
import { reportHtml } from '../ml/report/report-html';
import { type ReportInput } from '../ml/report/report-input';
import { reportMarkdown } from '../ml/report/report-markdown';
import { vegaLitePlots } from '../ml/report/vega-lite';
import { readJson } from './read-json';

/** The report of a finished run: for browsers, for a pull request, and its plots for notebooks. */
export async function reportFiles(
  store: ContentStore,
  result: TrainingResult,
  { stages }: Pick<PublishInput, 'stages'>,
): Promise<{ path: string; bytes: Uint8Array }[]> {
  const made = Object.assign({}, ...Object.values(stages).map(({ artifacts }) => artifacts)) as Artifacts;
  const read = async (name: string): Promise<unknown> => {
    const artifact = made[name];
    return artifact === undefined ? undefined : readJson(store, artifact);
  };
  const [evaluation, profile, training] = await Promise.all([
    read(ARTIFACT.evaluation).then((json) => Evaluation.parse(json)),
    read(ARTIFACT.profile).then((json) => TableProfile.optional().parse(json)),
    read(ARTIFACT.training).then((json) => TrainingNotes.optional().parse(json)),
  ]);
  const input: ReportInput = {
    model: result.model,
    version: result.modelVersion,
    outcome: result.outcome,
    reason: result.reason,
    championVersion: result.champion?.version ?? null,
    lineage: lineage(result),
    gate: result.gate,
    evaluation,
    ...(profile === undefined ? {} : { profile }),
    ...(training === undefined ? {} : { training }),
  };
  return [
    { path: REPORT, bytes: Buffer.from(reportHtml(input)) },
    { path: 'report.md', bytes: Buffer.from(reportMarkdown(input)) },
    { path: 'plots.vega-lite.json', bytes: Buffer.from(JSON.stringify(vegaLitePlots(input))) },
    ...importanceFile(evaluation, training),
    ...(training?.backtest === undefined
      ? []
      : [{ path: 'backtest.json', bytes: Buffer.from(JSON.stringify(training.backtest)) }]),
    ...(profile === undefined ? [] : [{ path: 'profile.json', bytes: Buffer.from(JSON.stringify(profile)) }]),
  ];
}

/** What the model needs and what its trees used, for programs. */
function importanceFile(
  { importances: permutation }: Evaluation,
  training: TrainingNotes | undefined,
): { path: string; bytes: Uint8Array }[] {
  const impurity = training?.importances;
  if (permutation === undefined && impurity === undefined) return [];
  return [{ path: 'importances.json', bytes: Buffer.from(JSON.stringify({ permutation, impurity })) }];
}

function lineage(result: TrainingResult): Record<string, string> {
  return {
    'pipeline key': result.pipelineKey,
    data: result.dataHash,
    params: result.paramsHash,
    code: result.codeHash,
    ...(result.gitCommit === '' ? {} : { commit: result.gitCommit }),
    'MLflow run': result.mlflowRunId,
    workflow: `${result.workflowId} / ${result.workflowRunId}`,
    finished: result.finishedAt,
  };
}
