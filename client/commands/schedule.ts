import { type Command } from 'commander';
import { loadParams } from '../../pipeline/run/load-params';
import { projectIdentity } from '../../pipeline/run/project-identity';
import { Schedules, type ScheduleView } from '../../temporal/schedules';
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
}

interface NoteOptions extends Output {
  note: string;
}

export const schedule: CommandModule = {
  define(program: Command) {
    const group = program
      .command('schedule')
      .description('train at set times: create, list, trigger, pause, resume, delete')
      .addHelpText('after', "\nExample:\n  retrain schedule create --cron '0 3 * * *'\n");
    defineCreate(group);
    defineList(group);
    defineOnOne(group);
  },
};

function defineCreate(group: Command): void {
  group
    .command('create')
    .description('train regularly; unchanged data are not trained again')
    .requiredOption('--cron <expression>', 'minute, hour, day of month, month, day of week')
    .option('--name <name>', 'default: the name of the model')
    .option('--params <file>', 'the params file', 'params.yaml')
    .option('--timezone <zone>', 'what the cron expression is in', 'UTC')
    .option('--json', 'print one JSON object', false)
    .addHelpText(
      'after',
      '\nWhere both are given, day of month and day of week must both match.\n' +
        "\nExample:\n  retrain schedule create --cron '0 3 * * *' --timezone Europe/Berlin\n",
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

async function create({ cron, name: given, params, timezone, json }: CreateOptions): Promise<void> {
  const config = loadClientConfig();
  // A mistake in the params file is told now, and not at three in the morning.
  const { model } = await loadParams(config.project, params);
  const name = given ?? model;
  await withSchedules(config, async (schedules, settings) => {
    const project = await projectIdentity(config.project, config.state, config.env);
    await schedules.create({ name, cron, timezone, params, taskQueue: config.taskQueue, project });
    const link = pageOf(settings, name);
    if (json) printJson('schedule create', { name, cron, timezone, params, link });
    else screen.out([`Created ${paint.strong(name)}: ${cron} ${timezone}`, ...linkLine(link)].join('\n'));
  });
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
  await withSchedules(loadClientConfig(), async (schedules, { uiUrl, namespace }) => {
    const workflowId = await schedules.trigger(name);
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
  work: (schedules: Schedules, settings: TemporalSettings) => Promise<T>,
): Promise<T> {
  return withTemporal(config, ({ client, settings }) => work(new Schedules(client.schedule), settings));
}

const HEADER = ['NAME', 'STATE', 'CRON', 'PARAMS', 'NEXT RUN (UTC)', 'LAST RUN (UTC)'].map((title) =>
  paint.dim(title),
);

function cells({ name, paused, note, cron, timezone, params, nextRunAt, lastRunAt }: ScheduleView): string[] {
  const resting = note === null ? 'paused' : `paused (${note})`;
  return [
    name,
    paused ? resting : paint.good('active'),
    cron === null ? '' : `${cron} ${timezone ?? ''}`,
    params ?? '',
    minute(nextRunAt),
    minute(lastRunAt),
  ];
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
