import { type Command } from 'commander';
import { RetrainError } from '../../contracts/errors';
import { RUN_TAG } from '../../contracts/names';
import { type TrainingResult } from '../../contracts/run';
import { createMlflow, type Mlflow } from '../../integrations/mlflow/client';
import { alarmStateOf } from '../../integrations/mlflow/alarm-tags';
import { notFound } from '../../integrations/mlflow/errors';
import {
  findRegisteredRun,
  findVersion,
  parseModelReference,
} from '../../integrations/mlflow/registered-run';
import { resultFromTags } from '../../integrations/mlflow/result-tag';
import { type MlflowRun } from '../../integrations/mlflow/run-record';
import { loadParams } from '../../pipeline/run/load-params';
import { type CommandModule } from '../command';
import { loadClientConfig, type ClientConfig } from '../config';
import { resultLinks } from '../run/links';
import { openReport } from '../run/open-report';
import { type Standing, versionStanding } from '../../integrations/mlflow/version-standing';
import { alarmRows, shownAlarm, type ShownAlarm } from '../terminal/alarm-lines';
import { resultLines } from '../terminal/result-lines';
import { printJson } from '../terminal/print-json';
import { aligned, paint, screen } from '../terminal/screen';

interface ShowOptions {
  params: string;
  report: boolean;
  json: boolean;
}

export const show: CommandModule = {
  define(program: Command) {
    program
      .command('show')
      .description('show a run: outcome, metrics, lineage, links')
      .argument(
        '[run]',
        'an MLflow run id, a model version such as v3, or a model such as iris or iris@3; default: the newest run',
      )
      .option('--params <file>', 'the params file, which names experiment and model', 'params.yaml')
      .option('--report', 'fetch the report of the run and open it in the browser', false)
      .option('--json', 'print one JSON object', false)
      .addHelpText('after', '\nExample:\n  retrain show v3\n')
      .action(run);
  },
};

async function run(wanted: string | undefined, options: ShowOptions): Promise<void> {
  const config = loadClientConfig();
  const mlflow = createMlflow(config.mlflow);
  try {
    const found = await find(mlflow, config, options.params, wanted);
    const result = resultFromTags(found.tags);
    const standing = result === null ? null : await versionStanding(config.mlflow, result);
    const alarms = result === null ? [] : await openAlarms(mlflow, result);
    if (options.json) printJson('show', { run: found, result, standing, alarms });
    else screen.out([...lines(config, found, result, standing), ...alarmLines(result, alarms)].join('\n'));
    if (options.report) await openReport(mlflow, config, found, options.json);
  } finally {
    await mlflow.close();
  }
}

async function find(
  mlflow: Mlflow,
  config: ClientConfig,
  paramsPath: string,
  wanted?: string,
): Promise<MlflowRun> {
  if (wanted !== undefined && RUN_ID.test(wanted)) return mlflow.runs.get(wanted);
  if (wanted !== undefined && !/^v?\d{1,9}$/.test(wanted)) {
    return (await findRegisteredRun(mlflow, parseModelReference(wanted))).run;
  }
  const { experiment, model } = await loadParams(config.project, paramsPath);
  if (wanted !== undefined) {
    const { runId } = await findVersion(mlflow, { model, by: { version: wanted.replace(/^v/, '') } });
    return mlflow.runs.get(runId);
  }
  const experimentId = await mlflow.experiments.find(experiment);
  const [newest] = experimentId === null ? [] : await mlflow.runs.list([experimentId], 1);
  if (newest === undefined) {
    throw new RetrainError(
      'NOT_FOUND',
      `there are no runs in ${experiment} yet; start one: retrain start --wait`,
    );
  }
  return newest;
}

/** As MLflow makes them. */
const RUN_ID = /^[0-9a-f]{32}$/;

/** None where the version is gone, or another one was checked last. */
async function openAlarms(mlflow: Mlflow, { model, modelVersion }: TrainingResult): Promise<ShownAlarm[]> {
  try {
    const state = alarmStateOf(await mlflow.registry.getVersion(model, modelVersion));
    return (state?.open ?? []).map((alarm) => shownAlarm(alarm, model, modelVersion));
  } catch (error) {
    if (notFound(error)) return [];
    throw error;
  }
}

function alarmLines(result: TrainingResult | null, alarms: readonly ShownAlarm[]): string[] {
  if (result === null || alarms.length === 0) return [];
  const { model, modelVersion } = result;
  return ['', paint.bad(`${model} v${modelVersion}: ${alarms.length} open`), ...aligned(alarmRows(alarms))];
}

const LINEAGE = [
  ['data', RUN_TAG.dataHash],
  ['params', RUN_TAG.paramsHash],
  ['code', RUN_TAG.codeHash],
  ['key', RUN_TAG.pipelineKey],
  ['commit', RUN_TAG.gitCommit],
  ['workflow', RUN_TAG.workflowId],
] as const;

function lines(
  config: ClientConfig,
  run: MlflowRun,
  result: TrainingResult | null,
  standing: Standing | null,
): string[] {
  const lineage = aligned(
    LINEAGE.flatMap(([name, tag]) => {
      const value = run.tags[tag];
      return value === undefined ? [] : [[paint.dim(`  ${name}`), value]];
    }),
  );
  if (result !== null) return [...resultLines(result, resultLinks(config, result), standing), '', ...lineage];
  const reason = run.tags[RUN_TAG.failureReason];
  return [
    paint.strong(`${run.name}: ${run.status.toLowerCase()}`),
    ...(reason === undefined ? [] : [`  ${reason}`]),
    '',
    ...lineage,
  ];
}
