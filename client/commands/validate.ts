import { metricOf } from '../../contracts/stage';
import { appendFile } from 'node:fs/promises';
import { type Command } from 'commander';
import { EXIT, RetrainError, listed } from '../../contracts/errors';
import { nearest } from '../../contracts/nearest';
import { type GateCheck, type TrainingResult } from '../../contracts/run';
import { impossible, lowerIsBetter } from '../../contracts/task-metrics';
import { findFinished } from '../../integrations/mlflow/finished-run';
import { checkAgainst, limitText } from '../../ml/gate/check-gate';
import { type CommandModule } from '../command';
import { loadClientConfig, type ClientConfig } from '../config';
import { resultLinks } from '../run/links';
import { parseOverrides } from '../run/overrides';
import { identify } from '../run/start-training';
import { resultMarkdown } from '../terminal/result-lines';
import { printJson } from '../terminal/print-json';
import { aligned, paint, screen } from '../terminal/screen';

interface ValidateOptions {
  params: string;
  set: string[];
  min: string[];
  max: string[];
  json: boolean;
}

interface Limit {
  metric: string;
  limit: { least: number } | { most: number };
}

const collect = (value: string, before: string[]): string[] => [...before, value];

export const validate: CommandModule = {
  define(program: Command) {
    program
      .command('validate')
      .description('check the metrics of the run of this data, params and code; for CI')
      .option(
        '--min <metric=value>',
        'a metric and the least it must be, or, as in the gate, the most that a loss or an error may be (repeatable)',
        collect,
        [],
      )
      .option('--max <metric=value>', 'a metric and the most it may be (repeatable)', collect, [])
      .option('--params <file>', 'the params file', 'params.yaml')
      .option('--set <key=value>', 'as given to start (repeatable)', collect, [])
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nExit code 3 when a metric is not good enough or the run failed its own gate. In a GitHub job, the table of metrics goes to the job summary.\n\nExample:\n  retrain validate --min accuracy=0.90 --min recall.fraud=0.8 --max log_loss=0.3\n',
      )
      .action(async (options: ValidateOptions) => {
        process.exitCode = await run(options);
      });
  },
};

async function run(options: ValidateOptions): Promise<number> {
  const limits = [...options.min.map(parseMinimum), ...options.max.map(parseMaximum)];
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
  const checks = limits.map((limit) => check(result, limit));
  const passed = result.outcome !== 'gate_failed' && checks.every((one) => one.passed);
  await summarise(config, result, checks);
  if (options.json) printJson('validate', { passed, checks, result });
  else screen.out(lines(result, checks, passed).join('\n'));
  return passed ? EXIT.done : EXIT.gateFailed;
}

/** `--min` goes by the metric, as the gate does: of a loss it is the largest value. @throws RetrainError USAGE */
function parseMinimum(text: string): Limit {
  const { metric, value } = parsePair('--min', text);
  return { metric, limit: lowerIsBetter(metric) ? { most: value } : { least: value } };
}

/** @throws RetrainError USAGE */
function parseMaximum(text: string): Limit {
  const { metric, value } = parsePair('--max', text);
  return { metric, limit: { most: value } };
}

function parsePair(option: '--min' | '--max', text: string): { metric: string; value: number } {
  // The label of a class, as in recall.a=b, may have a = of its own.
  const [, metric = '', number = ''] = /^(.+)=([^=]+)$/.exec(text) ?? [];
  const value = Number(number);
  if (metric === '' || number.trim() === '' || !Number.isFinite(value)) {
    throw new RetrainError('USAGE', `${option} takes metric=number such as accuracy=0.90, got ${text}`);
  }
  // The most that a score may be can always be met.
  const reason = option === '--min' || lowerIsBetter(metric) ? impossible(metric, value) : null;
  if (reason === null) return { metric, value };
  throw new RetrainError('USAGE', `${option} ${metric} ${reason}, got ${number}`);
}

/** @throws RetrainError USAGE for a metric that the run does not have */
function check({ metrics }: TrainingResult, { metric, limit }: Limit): GateCheck {
  const value = metricOf(metrics, metric);
  if (value !== undefined) return checkAgainst(metric, value, limit);
  const guess = nearest(metric, Object.keys(metrics));
  throw new RetrainError(
    'USAGE',
    `the run has no metric ${metric}; ${guess === undefined ? `it has ${listed(Object.keys(metrics), 20)}` : `did you mean ${guess}?`}`,
  );
}

function lines(result: TrainingResult, checks: GateCheck[], passed: boolean): string[] {
  const named = `${result.model} v${result.modelVersion}`;
  const own =
    result.outcome === 'gate_failed' ? [`  ${paint.bad('failed')}  its own gate: ${result.reason}`] : [];
  return [
    passed ? paint.good(`${named} is valid`) : paint.bad(`${named} is not good enough`),
    ...own,
    ...aligned(
      checks.map((one) => [
        `  ${one.passed ? paint.good('passed') : paint.bad('failed')}`,
        one.metric,
        one.value.toFixed(4),
        paint.dim(limitText(one)),
      ]),
    ),
  ];
}

async function summarise(config: ClientConfig, result: TrainingResult, checks: GateCheck[]): Promise<void> {
  const file = config.env['GITHUB_STEP_SUMMARY'];
  if (!file) return;
  const wanted = checks.map(
    (one) =>
      `- ${one.metric} ${one.value.toFixed(4)} ${limitText(one)} ${one.passed ? 'passed' : '**failed**'}`,
  );
  await appendFile(file, [resultMarkdown(result, resultLinks(config, result)), ...wanted, ''].join('\n'));
}
