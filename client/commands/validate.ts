import { appendFile } from 'node:fs/promises';
import { type Command } from 'commander';
import { EXIT, RetrainError, listed } from '../../contracts/errors';
import { type TrainingResult } from '../../contracts/run';
import { findFinished } from '../../integrations/mlflow/finished-run';
import { type CommandModule } from '../command';
import { loadClientConfig, type ClientConfig } from '../config';
import { resultLinks } from '../run/links';
import { parseOverrides } from '../run/overrides';
import { identify } from '../run/start-training';
import { resultMarkdown } from '../terminal/result-lines';
import { aligned, paint, screen } from '../terminal/screen';

interface ValidateOptions {
  params: string;
  set: string[];
  min: string[];
  json: boolean;
}

interface Check {
  metric: string;
  minimum: number;
  value: number;
  passed: boolean;
}

const collect = (value: string, before: string[]): string[] => [...before, value];

export const validate: CommandModule = {
  define(program: Command) {
    program
      .command('validate')
      .description('check the metrics of the run of this data, params and code; for CI')
      .option('--min <metric=value>', 'a metric and the least it must be (repeatable)', collect, [])
      .option('--params <file>', 'the params file', 'params.yaml')
      .option('--set <key=value>', 'as given to start (repeatable)', collect, [])
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nExit code 3 when a metric is too low or the run failed its own gate. In a GitHub job, the table of metrics goes to the job summary.\n\nExample:\n  retrain validate --min accuracy=0.90\n',
      )
      .action(async (options: ValidateOptions) => {
        process.exitCode = await run(options);
      });
  },
};

async function run(options: ValidateOptions): Promise<number> {
  const minima = options.min.map(parseMinimum);
  const config = loadClientConfig();
  const identity = await identify(config, {
    paramsPath: options.params,
    overrides: parseOverrides(options.set),
  });
  const result = await findFinished(config.mlflow, identity.params.experiment, identity.pipelineKey);
  if (result === null) {
    throw new RetrainError(
      'NOT_FOUND',
      `this data, params and code have no finished run (key ${identity.pipelineKey.slice(0, 16)}); run \`retrain start --wait\` first`,
    );
  }
  const checks = minima.map(({ metric, minimum }) => check(result, metric, minimum));
  const passed = result.outcome !== 'gate_failed' && checks.every((one) => one.passed);
  await summarise(config, result, checks);
  if (options.json) screen.out(JSON.stringify({ passed, checks, result }));
  else screen.out(lines(result, checks, passed).join('\n'));
  return passed ? EXIT.done : EXIT.gateFailed;
}

function parseMinimum(text: string): { metric: string; minimum: number } {
  const [, metric = '', value = ''] = /^([a-z0-9_]+)=(.+)$/.exec(text) ?? [];
  const minimum = Number(value);
  if (metric !== '' && value.trim() !== '' && Number.isFinite(minimum)) return { metric, minimum };
  throw new RetrainError('USAGE', `--min takes metric=number such as accuracy=0.90, got ${text}`);
}

function check({ metrics }: TrainingResult, metric: string, minimum: number): Check {
  const value = metrics[metric];
  if (value === undefined) {
    throw new RetrainError(
      'USAGE',
      `the run has no metric ${metric}; it has ${listed(Object.keys(metrics), 20)}`,
    );
  }
  return { metric, minimum, value, passed: value >= minimum };
}

function lines(result: TrainingResult, checks: Check[], passed: boolean): string[] {
  const named = `${result.model} v${result.modelVersion}`;
  const own =
    result.outcome === 'gate_failed' ? [`  ${paint.bad('failed')}  its own gate: ${result.reason}`] : [];
  return [
    passed ? paint.good(`${named} is valid`) : paint.bad(`${named} is not good enough`),
    ...own,
    ...aligned(
      checks.map(({ metric, minimum, value, passed: ok }) => [
        `  ${ok ? paint.good('passed') : paint.bad('failed')}`,
        metric,
        value.toFixed(4),
        paint.dim(`at least ${minimum}`),
      ]),
    ),
  ];
}

async function summarise(config: ClientConfig, result: TrainingResult, checks: Check[]): Promise<void> {
  const file = config.env['GITHUB_STEP_SUMMARY'];
  if (!file) return;
  const wanted = checks.map(
    ({ metric, minimum, value, passed }) =>
      `- ${metric} ${value.toFixed(4)}, at least ${minimum}: ${passed ? 'passed' : '**failed**'}`,
  );
  await appendFile(file, [resultMarkdown(result, resultLinks(config, result)), ...wanted, ''].join('\n'));
}
