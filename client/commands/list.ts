import { type Command } from 'commander';
import { RUN_TAG } from '../../contracts/names';
import { createMlflow } from '../../integrations/mlflow/client';
import { resultFromTags } from '../../integrations/mlflow/result-tag';
import { type MlflowRun } from '../../integrations/mlflow/run-record';
import { loadParams } from '../../pipeline/run/load-params';
import { type CommandModule } from '../command';
import { loadClientConfig } from '../config';
import { duration } from '../terminal/duration';
import { printJson } from '../terminal/print-json';
import { aligned, paint, screen } from '../terminal/screen';

interface ListOptions {
  params: string;
  experiment?: string;
  limit: string;
  json: boolean;
}

export const list: CommandModule = {
  define(program: Command) {
    program
      .command('list')
      .description('list the newest runs')
      .option('--params <file>', 'the params file, which names the experiment', 'params.yaml')
      .option('--experiment <name>', 'another experiment')
      .option('--limit <n>', 'how many', '20')
      .option('--json', 'print one JSON object', false)
      .addHelpText('after', '\nExample:\n  retrain list --limit 5\n')
      .action(run);
  },
};

async function run(options: ListOptions): Promise<void> {
  const config = loadClientConfig();
  const experiment = options.experiment ?? (await loadParams(config.project, options.params)).experiment;
  const mlflow = createMlflow(config.mlflow);
  try {
    const experimentId = await mlflow.experiments.find(experiment);
    const limit = Math.max(1, Math.trunc(Number(options.limit)) || 20);
    const runs = experimentId === null ? [] : await mlflow.runs.list([experimentId], limit);
    if (options.json) printJson('list', { experiment, runs: runs.map(row) });
    else if (runs.length === 0) screen.out(`No runs in ${experiment} yet. Start one: retrain start --wait`);
    else screen.out(aligned([HEADER, ...runs.map((run) => cells(row(run)))]).join('\n'));
  } finally {
    await mlflow.close();
  }
}

const HEADER = ['STARTED', 'OUTCOME', 'VERSION', 'ACCURACY', 'TOOK', 'KEY', 'MLFLOW RUN'].map((title) =>
  paint.dim(title),
);

interface Row {
  startedAt: string;
  outcome: string;
  version: string | null;
  metrics: Record<string, number>;
  tookMs: number | null;
  pipelineKey: string;
  mlflowRunId: string;
  reason: string | null;
}

function row(run: MlflowRun): Row {
  const result = resultFromTags(run.tags);
  return {
    startedAt: new Date(run.startedAt).toISOString(),
    outcome: result?.outcome ?? run.status.toLowerCase(),
    version: result?.modelVersion ?? null,
    metrics: run.metrics,
    tookMs: run.endedAt === null ? null : run.endedAt - run.startedAt,
    pipelineKey: run.tags[RUN_TAG.pipelineKey] ?? '',
    mlflowRunId: run.runId,
    reason: result?.reason ?? run.tags[RUN_TAG.failureReason] ?? null,
  };
}

function cells({ startedAt, outcome, version, metrics, tookMs, pipelineKey, mlflowRunId }: Row): string[] {
  const colour =
    outcome === 'promoted' ? paint.good : /failed|killed/.test(outcome) ? paint.bad : (text: string) => text;
  return [
    startedAt.slice(0, 19).replace('T', ' '),
    colour(outcome),
    version === null ? '' : `v${version}`,
    metrics['accuracy']?.toFixed(4) ?? '',
    tookMs === null ? '' : duration(tookMs),
    pipelineKey.slice(0, 12),
    mlflowRunId,
  ];
}
