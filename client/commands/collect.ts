import { type Command } from 'commander';
import { type CollectedDay, CollectInput, type CollectReport, type FailedDay } from '../../contracts/collect';
import { ERRORS, EXIT, isErrorCode, listed, RetrainError } from '../../contracts/errors';
import { plainLine } from '../../contracts/plain-words';
import { type CommandModule } from '../command';
import { loadClientConfig, type ClientConfig } from '../config';
import { printJson } from '../terminal/print-json';
import { paint, screen } from '../terminal/screen';
import { size } from '../terminal/size';
import { untilInterrupted } from '../terminal/until-interrupted';

interface CollectOptions {
  day?: string;
  from?: string;
  to?: string;
  now?: string;
  params: string;
  train: boolean;
  json: boolean;
}

export const collect: CommandModule = {
  define(program: Command) {
    program
      .command('collect')
      .description('fetch the days that are due from the sources of params.yaml into data/raw')
      .argument('[source]', 'one of `collect.sources`; default: all of them')
      .option('--day <day>', 'this day, also if it was collected before: 2026-03-09')
      .option('--from <day>', 'the first of several days')
      .option('--to <day>', 'the last of them; default: today')
      .option('--now <time>', 'what counts as the present, for trying out: 2026-03-09T06:00:00Z')
      .option('--params <file>', 'the params file', 'params.yaml')
      .option('--no-train', 'start no training, whatever `collect.then` says')
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nRuns here; no servers are needed but the source, and Temporal and MLflow where `collect.then` is train. A file appears whole or\nnot at all, and the same day twice changes nothing.\n\nExample:\n  retrain collect cards --from 2026-03-01 --to 2026-03-09\n',
      )
      .action(async (source: string | undefined, options: CollectOptions) => {
        process.exitCode = await untilInterrupted('the collection', (signal) => run(source, options, signal));
      });
  },
};

async function run(
  source: string | undefined,
  options: CollectOptions,
  signal: AbortSignal,
): Promise<number> {
  const { params: paramsPath, json } = options;
  const { day, from, to, now } = checked({ source, ...options });
  const [
    { loadParams },
    { collectSettings },
    { createSourceClient },
    { collectSources },
    { sourceContainers },
  ] = await Promise.all([
    import('../../pipeline/run/load-params.js'),
    import('../../integrations/http-source/settings.js'),
    import('../../integrations/http-source/source-client.js'),
    import('../../pipeline/collect/collect-sources.js'),
    import('../collect/source-containers.js'),
  ]);
  const config = loadClientConfig();
  const params = await loadParams(config.project, paramsPath);
  const client = createSourceClient(collectSettings(config.env));
  try {
    const found = await collectSources(
      { project: config.project, client, containers: sourceContainers(config) },
      params,
      paramsPath,
      { source, day, from, to },
      now === undefined ? new Date() : new Date(now),
      { signal, ...(json ? {} : { onDay: showDay, onFailed: showFailed }) },
    );
    const isToTrain = options.train && params.collect?.then === 'train' && found.failed.length === 0;
    const { training, waits } = isToTrain
      ? await train(config, paramsPath, params.collect?.records ?? '')
      : { training: null, waits: null };
    if (json) printJson('collect', { ...found, training });
    else showRest({ ...found, training });
    if (waits === null) return exitOf(found.failed);
    screen.err(`${paint.bad('error:')} ${waits.message}`);
    return waits.exitCode;
  } finally {
    await client.close();
  }
}

/** @throws RetrainError USAGE */
function checked(given: Record<string, unknown>): Pick<CollectInput, 'day' | 'from' | 'to' | 'now'> {
  const { day, from, to, now } = given;
  const parsed = CollectInput.safeParse({ day, from, to, now });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = String(issue?.path[0] ?? '');
  throw new RetrainError(
    'USAGE',
    `--${key} ${String(given[key]).slice(0, 40)}: ${key === 'now' ? 'must be a time such as 2026-03-09T06:00:00Z' : (issue?.message ?? '')}`,
  );
}

/**
 * Starts the training, if files have changed since the last one was started.
 *
 * @returns beside it that no worker takes it up; null: one does, or there is nothing to take up
 */
async function train(
  config: ClientConfig,
  paramsPath: string,
  records: string,
): Promise<{ training: CollectReport['training']; waits: RetrainError | null }> {
  const [{ Untrained }, { startTraining }, { noWorker }, path] = await Promise.all([
    import('../../pipeline/collect/untrained.js'),
    import('../run/start-training.js'),
    import('../../temporal/no-worker.js'),
    import('node:path'),
  ]);
  const untrained = new Untrained(path.join(config.project, records));
  const marks = await untrained.marks();
  if (marks.length === 0) return { training: null, waits: null };
  const { how, identity, ...started } = await startTraining(config, {
    paramsPath,
    overrides: {},
    force: false,
  });
  await untrained.clear(marks);
  const { pipelineKey } = identity;
  if (!('workflowId' in started)) return { training: { how, pipelineKey }, waits: null };
  const { workflowId, polled } = started;
  const waits = polled ? null : noWorker(workflowId, config.taskQueue);
  return { training: { how, pipelineKey, workflowId }, waits };
}

function showDay({
  source,
  day,
  outcome,
  file,
  rows,
  sizeBytes,
  quarantined,
  newColumns,
}: CollectedDay): void {
  const what = file === null ? 'no rows' : `${rows} rows, ${size(sizeBytes)}  ${file}`;
  const refused = quarantined === 0 ? '' : paint.bad(`  ${quarantined} in quarantine`);
  const word = outcome === 'unchanged' ? paint.dim(outcome) : paint.good(outcome);
  const beside = newColumns.length === 0 ? '' : paint.dim(`  left out: ${plainLine(listed(newColumns))}`);
  screen.out(`${source} ${day}  ${word}  ${what}${refused}${beside}`);
}

function showFailed({ source, day, message }: FailedDay): void {
  screen.err(`${paint.bad('error:')} ${source} ${day}: ${message}`);
}

function showRest({ days, failed, left, training }: CollectReport): void {
  if (days.length + failed.length === 0) screen.out('Nothing is due.');
  if (left > 0) screen.out(`${left} more days are due; collect again for them.`);
  if (training === null) return;
  const { how, workflowId } = training;
  screen.out(
    how === 'finished'
      ? 'These data were trained on before.'
      : `${how === 'started' ? 'Started' : 'Joined'} ${workflowId ?? 'the training'}; follow it with: retrain start --wait`,
  );
}

/** That of the first failure. */
function exitOf([first]: readonly FailedDay[]): number {
  if (first === undefined) return EXIT.done;
  return isErrorCode(first.code) ? ERRORS[first.code].exit : EXIT.failed;
}
