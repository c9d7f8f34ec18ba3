import { type Command } from 'commander';
import { type AlarmState } from '../../contracts/alarm';
import { RetrainError } from '../../contracts/errors';
import { plainLine } from '../../contracts/plain-words';
import { readAlarmState } from '../../integrations/mlflow/alarm-tags';
import { createMlflow } from '../../integrations/mlflow/client';
import { parseModelReference } from '../../integrations/mlflow/registered-run';
import { loadParams } from '../../pipeline/run/load-params';
import { type CommandModule } from '../command';
import { loadClientConfig } from '../config';
import { printJson } from '../terminal/print-json';
import { alarmRows, shownAlarm } from '../terminal/alarm-lines';
import { aligned, paint, screen } from '../terminal/screen';

interface AlarmsOptions {
  params: string;
  json: boolean;
}

export const alarms: CommandModule = {
  define(program: Command) {
    program
      .command('alarms')
      .description('show which alarms of a model are open: drift, and accuracy that is lost')
      .argument('[model]', 'a registered model; default: that of the params file')
      .option('--params <file>', 'the params file, which names the model', 'params.yaml')
      .option('--json', 'print one JSON object', false)
      .addHelpText('after', '\nExample:\n  retrain alarms iris-classifier\n')
      .action(run);
  },
};

async function run(named: string | undefined, { params, json }: AlarmsOptions): Promise<void> {
  const config = loadClientConfig();
  const model =
    named === undefined ? (await loadParams(config.project, params)).model : parseModelReference(named).model;
  const mlflow = createMlflow(config.mlflow);
  try {
    if ((await mlflow.registry.findModel(model)) === null) {
      throw new RetrainError(
        'NOT_FOUND',
        `there is no registered model ${model}; list the runs: retrain list`,
      );
    }
    const state = await readAlarmState(mlflow, model);
    if (json) printJson('alarms', { model, ...printed(model, state) });
    else screen.out(lines(model, state).join('\n'));
  } finally {
    await mlflow.close();
  }
}

function printed(model: string, state: AlarmState | null) {
  const version = state?.version ?? null;
  return {
    version,
    open: (state?.open ?? []).map((alarm) => shownAlarm(alarm, model, version ?? 'production')),
    held: state?.held.length ?? 0,
  };
}

function lines(model: string, state: AlarmState | null): string[] {
  if (state === null) {
    return [
      `${model} was not checked yet. Check it every hour: retrain schedule create --cron '0 * * * *' --watch ${model}`,
    ];
  }
  const { open, held, version } = state;
  const named = `${model} v${version ?? ''}`;
  const waiting =
    held.length === 0
      ? []
      : [
          '',
          `Notices that wait for the end of the quiet hours: ${held.length}, until ${held[0]?.until ?? ''}`,
        ];
  if (open.length === 0) return [paint.good(`${named}: no alarm`), ...waiting];
  return [
    paint.bad(`${named}: ${open.length} open`),
    ...aligned(alarmRows(open.map((alarm) => shownAlarm(alarm, model, version ?? 'production')))),
    '',
    ...open.map(({ cause }) => `  ${plainLine(cause.title)}: ${plainLine(cause.detail)}`),
    ...waiting,
  ];
}
