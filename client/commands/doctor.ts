import { type Command } from 'commander';
import { EXIT } from '../../contracts/errors';
import { type CommandModule } from '../command';
import { type ClosedRun } from '../../temporal/close-ended-runs';
import { loadClientConfig, type ClientConfig } from '../config';
import { examine, type Finding } from '../stack/examine';
import { stackSettings } from '../stack/stack-settings';
import { toolsCacheDir } from '../stack/tools-cache';
import { printJson } from '../terminal/print-json';
import { aligned, paint, screen } from '../terminal/screen';

interface DoctorOptions {
  fix: boolean;
  json: boolean;
}

export const doctor: CommandModule = {
  define(program: Command) {
    program
      .command('doctor')
      .description('say for each part whether it is there, its version and address, and how to get it')
      .option('--fix', 'close MLflow runs that are open although their workflow has ended', false)
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nExit code 4 when a part that is needed is missing.\n\nExample:\n  retrain doctor\n',
      )
      .action(async (options: DoctorOptions) => {
        process.exitCode = await run(options);
      });
  },
};

async function run({ fix, json }: DoctorOptions): Promise<number> {
  const config = loadClientConfig();
  const settings = stackSettings(config.project, config.env, config.stack);
  const findings = await examine(settings, config.stack);
  const missing = findings.filter(({ status }) => status === 'missing');
  const cache = toolsCacheDir(config.env);
  const closed = fix ? await closeOpenRuns(config) : undefined;
  if (json) printJson('doctor', { ok: missing.length === 0, state: settings.state, cache, findings, closed });
  else {
    const fixes = closed === undefined ? [] : ['', ...closedLines(closed)];
    screen.out([...table(findings), '', ...verdict(missing, cache, settings.state), ...fixes].join('\n'));
  }
  return missing.length === 0 ? EXIT.done : EXIT.unreachable;
}

/** Loads what talks to the servers only when it is wanted. @throws RetrainError when one of them does not answer */
async function closeOpenRuns(config: ClientConfig): Promise<ClosedRun[]> {
  const [{ withTemporal }, { closeEndedRuns }, { createMlflow }] = await Promise.all([
    import('../run/temporal-session.js'),
    import('../../temporal/close-ended-runs.js'),
    import('../../integrations/mlflow/client.js'),
  ]);
  const mlflow = createMlflow(config.mlflow);
  try {
    return await withTemporal(config, ({ client }) => closeEndedRuns(client, mlflow));
  } finally {
    await mlflow.close();
  }
}

function closedLines(closed: readonly ClosedRun[]): string[] {
  if (closed.length === 0) return ['No MLflow run is open whose workflow has ended.'];
  return [
    `Closed ${closed.length} MLflow run${closed.length === 1 ? '' : 's'}:`,
    ...closed.map(
      ({ mlflowRunId, workflowId, status, reason }) =>
        `  ${mlflowRunId}  ${workflowId}  ${status}: ${reason}`,
    ),
  ];
}

const COLOUR: Record<Finding['status'], (text: string) => string> = {
  ok: paint.good,
  up: paint.good,
  missing: paint.bad,
  down: paint.dim,
  none: paint.dim,
};

function table(findings: Finding[]): string[] {
  return aligned(
    findings.map(({ part, status, version, where, note }) => [
      `  ${COLOUR[status](status)}`,
      part,
      version ?? '',
      [where, note === null ? null : paint.dim(note)].filter((text) => text !== null).join('  '),
    ]),
  );
}

function verdict(missing: Finding[], cache: string, state: string): string[] {
  return [
    missing.length === 0
      ? paint.good('Everything that is needed is there.')
      : paint.bad(`Missing: ${missing.map(({ part }) => part).join(', ')}.`),
    paint.dim(`Programs are kept in ${cache}, this project's state in ${state}.`),
  ];
}
