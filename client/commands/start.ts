import { type Command } from 'commander';
import { milliseconds } from '../../contracts/duration';
import { EXIT, RetrainError } from '../../contracts/errors';
import { type JsonOutput } from '../../contracts/json-output';
import { type TrainingResult } from '../../contracts/run';
import { type CommandModule } from '../command';
import { loadClientConfig, type ClientConfig } from '../config';
import { resultLinks } from '../run/links';
import { parseOverrides } from '../run/overrides';
import { startTraining, type Started } from '../run/start-training';
import { waitsForWorker } from '../../temporal/no-worker';
import { versionStanding } from '../../integrations/mlflow/version-standing';
import { resultLines } from '../terminal/result-lines';
import { printJson } from '../terminal/print-json';
import { paint, screen } from '../terminal/screen';

interface StartOptions {
  params: string;
  set: string[];
  force: boolean;
  wait: boolean;
  timeout?: number;
  json: boolean;
}

export const start: CommandModule = {
  define(program: Command) {
    program
      .command('start')
      .description('train on the data of params.yaml, or join the training that there is')
      .option('--params <file>', 'the params file', 'params.yaml')
      .option('--set <key=value>', 'change a key for this run (repeatable)', collect, [])
      .option('--force', 'train afresh, even if this has been trained before', false)
      .option('--wait', 'show the stages and wait for the outcome', false)
      .option('--timeout <duration>', 'with --wait: stop waiting after this long, such as 30m', timeout)
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nA server that is away for a while ends no wait: the run outlives it.\n' +
          '\nExample:\n  retrain start --wait --timeout 30m --set train.n_estimators=200\n',
      )
      .action(async (options: StartOptions) => {
        process.exitCode = await run(options);
      });
  },
};

const collect = (value: string, before: string[]): string[] => [...before, value];

/** @throws RetrainError USAGE */
function timeout(text: string): number {
  const ms = milliseconds(text);
  // What a timer can wait for: 24 days.
  if (ms > 0 && ms < 2 ** 31) return ms;
  throw new RetrainError('USAGE', `--timeout must be a duration such as 90s, 30m or 2h, got ${text}`);
}

async function run(options: StartOptions): Promise<number> {
  const config = loadClientConfig();
  const started = await startTraining(config, {
    paramsPath: options.params,
    overrides: parseOverrides(options.set),
    force: options.force,
  });
  if (started.how === 'finished') {
    const { showAgain } = await import('../run/show-again.js');
    const shown = await showAgain(config, started.identity);
    if (!options.json)
      screen.err(paint.dim('Nothing changed: this data, params and code were trained before.'));
    if (shown !== null) screen.err(paint.dim(shown));
    return report(config, options, started, started.result);
  }
  if (!options.json) announce(started);
  if (!options.wait) {
    if (options.json) printJson('start', summary(started));
    else
      screen.out(
        `Follow it with: retrain start --wait${options.params === 'params.yaml' ? '' : ` --params ${options.params}`}`,
      );
    if (!started.polled) screen.err(paint.busy(waitsForWorker(started.workflowId, config.taskQueue)));
    return EXIT.done;
  }
  const { watchRun } = await import('../run/watch-run.js');
  const result = await watchRun(config, started, {
    quiet: options.json,
    timeoutMs: options.timeout ?? null,
  });
  return report(config, options, started, result);
}

function announce(started: Extract<Started, { workflowId: string }>): void {
  const { params, data } = started.identity;
  const verb = started.how === 'started' ? 'Started' : 'Joined';
  screen.err(
    `${verb} ${paint.strong(started.workflowId)}  ${paint.dim(`${params.model} on ${data.path} (${data.sha256.slice(0, 12)})`)}`,
  );
}

async function report(
  config: ClientConfig,
  options: StartOptions,
  started: Started,
  result: TrainingResult,
): Promise<number> {
  const links = resultLinks(config, result);
  const standing = await versionStanding(config.mlflow, result);
  if (options.json) printJson('start', { ...summary(started), result, standing, links });
  else screen.out(resultLines(result, links, standing).join('\n'));
  return result.outcome === 'gate_failed' ? EXIT.gateFailed : EXIT.done;
}

function summary({
  identity,
  ...started
}: Started): Pick<JsonOutput['start'], 'how' | 'pipelineKey' | 'workflowId' | 'workflowRunId'> {
  return {
    how: started.how,
    pipelineKey: identity.pipelineKey,
    ...(started.how === 'finished'
      ? {}
      : { workflowId: started.workflowId, workflowRunId: started.workflowRunId }),
  };
}
