import { type Command } from 'commander';
import { bringUp, type BroughtUp } from '../stack/bring-up';
import { createProgress, silentProgress } from '../stack/progress';
import { stackSettings, type PortFlags } from '../stack/stack-settings';
import { type CommandModule } from '../command';
import { loadClientConfig } from '../config';
import { duration } from '../terminal/duration';
import { printJson } from '../terminal/print-json';
import { aligned, paint, screen } from '../terminal/screen';

interface UpOptions extends PortFlags {
  worker: boolean;
  api: boolean;
  json: boolean;
}

export const up: CommandModule = {
  define(program: Command) {
    program
      .command('up')
      .description(
        'start Temporal, MLflow, a worker and the prediction API on this machine; does only what is missing',
      )
      .option('--temporal-port <port>', 'default: RETRAIN_TEMPORAL_PORT, or 7233')
      .option('--temporal-ui-port <port>', 'default: RETRAIN_TEMPORAL_UI_PORT, or 8233')
      .option('--mlflow-port <port>', 'default: RETRAIN_MLFLOW_PORT, or 5000')
      .option('--api-port <port>', 'default: RETRAIN_API_PORT, or 8000')
      .option('--no-worker', 'start the servers only: neither worker nor API')
      .option('--no-api', 'start no prediction API')
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nServers that TEMPORAL_ADDRESS and MLFLOW_TRACKING_URI name are used instead of local ones.\n' +
          'State and logs are in .retrain/; `retrain down` stops everything and keeps the state.\n' +
          '\nExample:\n  retrain up --mlflow-port 5050\n',
      )
      .action(run);
  },
};

async function run(options: UpOptions): Promise<void> {
  const config = loadClientConfig();
  const progress = options.json ? silentProgress : createProgress(process.stderr);
  let result: BroughtUp;
  try {
    const settings = stackSettings(config.project, config.env, config.stack, options);
    result = await bringUp(settings, {
      worker: options.worker,
      api: options.api && options.worker,
      progress,
    });
  } finally {
    progress.close();
  }
  if (options.json) printJson('up', result);
  else screen.out(summary(result).join('\n'));
}

function summary({ temporal, mlflow, worker, api, durationMs }: BroughtUp): string[] {
  const parts = [temporal.state, mlflow.state, worker.state, api.state];
  const nothingToDo = parts.every((state) => state !== 'started' && state !== 'restarted');
  const headline = nothingToDo ? 'The stack is up already.' : `The stack is up (${duration(durationMs)}).`;
  const polls = worker.pid === null ? 'not started' : `polls ${worker.taskQueue}`;
  return [
    paint.good(headline),
    '',
    ...aligned([
      ['  Temporal', temporal.uiUrl ?? temporal.address, paint.dim(temporal.state)],
      ['  MLflow', mlflow.uri, paint.dim(mlflow.state)],
      ['  Worker', polls, paint.dim(worker.state)],
      [
        '  API',
        api.uri ?? 'not started',
        paint.dim(api.uri === null && api.why !== undefined ? api.why : api.state),
      ],
    ]),
    '',
    ...aligned([
      ['  Train', 'npx --no retrain start --wait'],
      ['  Stop', 'npx --no retrain down'],
    ]),
  ];
}
