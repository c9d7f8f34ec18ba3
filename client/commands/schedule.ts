import { type Client } from '@temporalio/client';
import { type Command } from 'commander';
import { RetrainError } from '../../contracts/errors';
import { parseModelReference } from '../../integrations/mlflow/registered-run';
import { dataInsideProject } from '../../pipeline/run/inside-project';
import { loadParams } from '../../pipeline/run/load-params';
import { projectIdentity } from '../../pipeline/run/project-identity';
import { outputInsideProject } from '../../serving/batch/output-file';
import { noWorker } from '../../temporal/no-worker';
import { isPolled } from '../../temporal/project-queue';
import { type Scheduled, Schedules, type ScheduleView } from '../../temporal/schedules';
import { type TemporalSettings } from '../../temporal/settings';
import { scheduleUrl, workflowUrl } from '../../temporal/web-ui';
import { type CommandModule } from '../command';
import { loadClientConfig, type ClientConfig } from '../config';
import { withTemporal } from '../run/temporal-session';
import { printJson } from '../terminal/print-json';
import { aligned, paint, screen } from '../terminal/screen';

interface Output {
  json: boolean;
}

interface CreateOptions extends Output {
  cron: string;
  name?: string;
  params: string;
  timezone: string;
  predict?: string;
  watch?: string;
  data?: string;
  model?: string;
  out?: string;
  collect?: string | true;
}

interface NoteOptions extends Output {
  note: string;
}

export const schedule: CommandModule = {
  define(program: Command) {
    const group = program
      .command('schedule')
      .description(
        'train, predict, watch or collect at set times: create, list, trigger, pause, resume, delete',
      )
      .addHelpText('after', "\nExample:\n  retrain schedule create --cron '0 3 * * *'\n");
    defineCreate(group);
    defineList(group);
    defineOnOne(group);
  },
};

function defineCreate(group: Command): void {
  group
    .command('create')
    .description(
      'train regularly, or predict, watch a model, or collect: unchanged data are neither trained on nor scored again',
    )
    .requiredOption('--cron <expression>', 'minute, hour, day of month, month, day of week')
    .option('--name <name>', 'default: the name of the model')
    .option('--params <file>', 'the params file', 'params.yaml')
    .option('--timezone <zone>', 'what the cron expression is in', 'UTC')
    .option('--predict <data>', 'score this file or folder of the project, and do not train')
    .option('--model <name@alias>', 'what it is scored by: iris-classifier@production, iris-classifier@3')
    .option('--out <file>', 'where the predictions go, in the project: .parquet, .csv or .jsonl')
    .option(
      '--watch <model>',
      'check this model for drift and lost accuracy, and do not train: see docs/monitoring.md',
    )
    .option(
      '--data <data>',
      'with --watch: look at this file or folder of the project, and not at the prediction log',
    )
    .option(
      '--collect [source]',
      'collect the days that are due, of this source or all, and do not train by itself',
    )
    .option('--json', 'print one JSON object', false)
    .addHelpText(
      'after',
      '\nWhere both are given, day of month and day of week must both match.\n' +
        "\nExample:\n  retrain schedule create --cron '0 3 * * *' --timezone Europe/Berlin\n" +
        "  retrain schedule create --cron '0 5 * * *' --predict data/new.csv --model iris-classifier@production --out predictions.parquet\n" +
        "  retrain schedule create --cron '0 * * * *' --watch iris-classifier\n" +
        "  retrain schedule create --cron '0 6 * * *' --collect\n",
    )
    .action(create);
}

function defineList(group: Command): void {
  group
    .command('list')
    .description('list the schedules')
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', '\nExample:\n  retrain schedule list\n')
    .action(list);
}

function defineOnOne(group: Command): void {
  group
    .command('trigger <name>')
    .description('start a run now')
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', '\nExample:\n  retrain schedule trigger iris-classifier\n')
    .action(trigger);
  group
    .command('pause <name>')
    .description('let it rest until it is resumed')
    .option('--note <text>', 'why', 'paused by retrain')
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', "\nExample:\n  retrain schedule pause iris-classifier --note 'new sensors'\n")
    .action((name: string, { note, json }: NoteOptions) =>
      change(
        json,
        name,
        'paused',
        (schedules) => schedules.pause(name, note),
        () => printJson('schedule pause', { name, paused: true }),
      ),
    );
  group
    .command('resume <name>')
    .description('let it go on')
    .option('--note <text>', 'why', 'resumed by retrain')
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', '\nExample:\n  retrain schedule resume iris-classifier\n')
    .action((name: string, { note, json }: NoteOptions) =>
      change(
        json,
        name,
        'resumed',
        (schedules) => schedules.resume(name, note),
        () => printJson('schedule resume', { name, resumed: true }),
      ),
    );
  group
    .command('delete <name>')
    .description('remove it; runs that it has started go on')
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', '\nExample:\n  retrain schedule delete iris-classifier\n')
    .action((name: string, { json }: Output) =>
      change(
        json,
        name,
        'deleted',
        (schedules) => schedules.delete(name),
        () => printJson('schedule delete', { name, deleted: true }),
      ),
    );
}

async function create(options: CreateOptions): Promise<void> {
  const { cron, timezone, json } = options;
  const config = loadClientConfig();
  // A mistake in the params file, or in a path, is told now, and not at three in the morning.
  const { what, named } = await whatToDo(config, options);
  const name = options.name ?? named;
  await withSchedules(config, async (schedules, settings, client) => {
    const project = await projectIdentity(config.project, config.state, config.env);
    await schedules.create({ name, cron, timezone, what, taskQueue: config.taskQueue, project });
    const link = pageOf(settings, name);
    const params = 'train' in what ? what.train.params : null;
    const predict = 'predict' in what ? what.predict : null;
    const watch = 'watch' in what ? { model: what.watch.model, data: what.watch.data ?? null } : null;
    const collect = 'collect' in what ? what.collect : null;
    if (json) printJson('schedule create', { name, cron, timezone, params, predict, watch, collect, link });
    else screen.out([`Created ${paint.strong(name)}: ${cron} ${timezone}`, ...linkLine(link)].join('\n'));
    if (await isPolled(client, config.taskQueue)) return;
    screen.err(
      paint.busy(
        `no worker polls task queue ${config.taskQueue}: what ${name} starts waits until one does; start one: \`npm run worker\`, or \`retrain up\``,
      ),
    );
  });
}

/** @returns what the schedule does, and a name for it @throws RetrainError USAGE, CONFIG_INVALID, CONFIG_NOT_FOUND */
async function whatToDo(
  { project }: ClientConfig,
  { params, predict: data, model, out, watch, data: looked, collect }: CreateOptions,
): Promise<{ what: Scheduled; named: string }> {
  if (collect !== undefined)
    return whatToCollect(project, collect, params, [data, model, out, watch, looked]);
  if (watch !== undefined)
    return whatToWatch(project, watch, { params, data: looked, others: [data, model, out] });
  if (looked !== undefined)
    throw new RetrainError('USAGE', '--data belongs to --watch; to score a table: --predict');
  if (data === undefined && model === undefined && out === undefined) {
    return { what: { train: { params } }, named: (await loadParams(project, params)).model };
  }
  if (data === undefined || model === undefined || out === undefined) {
    throw new RetrainError(
      'USAGE',
      '--predict, --model and --out belong together: --predict data/new.csv --model iris-classifier@production --out predictions.parquet',
    );
  }
  const reference = parseModelReference(model);
  await dataInsideProject(project, data, '--predict', 'the data');
  await outputInsideProject(project, out, '--out');
  return { what: { predict: { data, model, out } }, named: `predict-${reference.model}` };
}

/** @throws RetrainError USAGE, CONFIG_INVALID, CONFIG_NOT_FOUND */
async function whatToWatch(
  project: string,
  watch: string,
  { params, data, others }: { params: string; data: string | undefined; others: (string | undefined)[] },
): Promise<{ what: Scheduled; named: string }> {
  if (others.some((other) => other !== undefined)) {
    throw new RetrainError(
      'USAGE',
      '--watch goes without --predict, --model and --out: a schedule does one thing',
    );
  }
  const { model } = parseModelReference(watch);
  const trains = await loadParams(project, params);
  if (trains.model !== model) {
    throw new RetrainError(
      'USAGE',
      `${params} is of ${trains.model}, and --watch names ${model}; name its params file with --params`,
    );
  }
  if (data !== undefined) await dataInsideProject(project, data, '--data', 'the data');
  return {
    what: { watch: { model: watch, params, ...(data === undefined ? {} : { data }) } },
    named: `watch-${model}`,
  };
}

/** @throws RetrainError USAGE, CONFIG_INVALID, CONFIG_NOT_FOUND */
async function whatToCollect(
  project: string,
  named: string | true,
  params: string,
  others: (string | undefined)[],
): Promise<{ what: Scheduled; named: string }> {
  if (others.some((other) => other !== undefined)) {
    throw new RetrainError(
      'USAGE',
      '--collect goes without --predict, --model, --out, --watch and --data: a schedule does one thing',
    );
  }
  const source = named === true ? null : named;
  const { planCollection } = await import('../../pipeline/collect/collect-sources.js');
  const loaded = await loadParams(project, params);
  await planCollection(project, loaded, params, source === null ? {} : { source }, new Date());
  return { what: { collect: { params, source } }, named: `collect-${source ?? loaded.model}` };
}

async function list({ json }: Output): Promise<void> {
  await withSchedules(loadClientConfig(), async (schedules) => {
    const found = await schedules.list();
    if (json) printJson('schedule list', { schedules: found });
    else if (found.length === 0)
      screen.out("No schedules yet. Make one: retrain schedule create --cron '0 3 * * *'");
    else screen.out(aligned([HEADER, ...found.map(cells)]).join('\n'));
  });
}

async function trigger(name: string, { json }: Output): Promise<void> {
  await withSchedules(loadClientConfig(), async (schedules, { uiUrl, namespace }, client) => {
    const { workflowId, taskQueue } = await schedules.trigger(name);
    // It begins as soon as there is one, and was asked for now.
    if (!(await isPolled(client, taskQueue))) throw noWorker(workflowId ?? `the run of ${name}`, taskQueue);
    const link = uiUrl === null || workflowId === null ? null : workflowUrl(uiUrl, namespace, workflowId);
    if (json) printJson('schedule trigger', { name, workflowId, link });
    else
      screen.out(
        [
          `Triggered ${paint.strong(name)}: ${workflowId ?? 'the run has not begun yet'}`,
          ...linkLine(link),
        ].join('\n'),
      );
  });
}

async function change(
  json: boolean,
  name: string,
  done: string,
  work: (schedules: Schedules) => Promise<void>,
  print: () => void,
): Promise<void> {
  await withSchedules(loadClientConfig(), async (schedules) => {
    await work(schedules);
    if (json) print();
    else screen.out(`${done.replace(/^./, (first) => first.toUpperCase())} ${paint.strong(name)}`);
  });
}

function withSchedules<T>(
  config: ClientConfig,
  work: (schedules: Schedules, settings: TemporalSettings, client: Client) => Promise<T>,
): Promise<T> {
  return withTemporal(config, ({ client, settings }) =>
    work(new Schedules(client.schedule), settings, client),
  );
}

const HEADER = ['NAME', 'STATE', 'CRON', 'WHAT', 'NEXT RUN (UTC)', 'LAST RUN (UTC)'].map((title) =>
  paint.dim(title),
);

function cells({
  name,
  paused,
  note,
  cron,
  timezone,
  params,
  predict,
  watch,
  collect,
  nextRunAt,
  lastRunAt,
}: ScheduleView): string[] {
  const resting = note === null ? 'paused' : `paused (${note})`;
  return [
    name,
    paused ? resting : paint.good('active'),
    cron === null ? '' : `${cron} ${timezone ?? ''}`,
    whatText({ params, predict, watch, collect }),
    minute(nextRunAt),
    minute(lastRunAt),
  ];
}

function whatText({
  params,
  predict,
  watch,
  collect,
}: Pick<ScheduleView, 'params' | 'predict' | 'watch' | 'collect'>): string {
  if (watch !== null) return `watch ${watch.model}${watch.data === null ? '' : ` by ${watch.data}`}`;
  if (collect !== null) return `collect ${collect.source ?? 'all sources'} of ${collect.params}`;
  return predict === null ? (params ?? '') : `${predict.data} by ${predict.model} into ${predict.out}`;
}

function minute(iso: string | null): string {
  return iso === null ? '' : iso.slice(0, 16).replace('T', ' ');
}

function pageOf({ uiUrl, namespace }: TemporalSettings, name: string): string | null {
  return uiUrl === null ? null : scheduleUrl(uiUrl, namespace, name);
}

function linkLine(link: string | null): string[] {
  return link === null ? [] : [`  ${paint.dim(link)}`];
}
