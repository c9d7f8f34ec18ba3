import { type Command } from 'commander';
import { EXIT } from '../../contracts/errors';
import { type CommandModule } from '../command';
import { loadClientConfig } from '../config';
import { examine, type Finding } from '../stack/examine';
import { stackSettings } from '../stack/stack-settings';
import { toolsCacheDir } from '../stack/tools-cache';
import { aligned, paint, screen } from '../terminal/screen';

export const doctor: CommandModule = {
  define(program: Command) {
    program
      .command('doctor')
      .description('say for each part whether it is there, its version and address, and how to get it')
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nExit code 4 when a part that is needed is missing.\n\nExample:\n  retrain doctor\n',
      )
      .action(async (options: { json: boolean }) => {
        process.exitCode = await run(options);
      });
  },
};

async function run({ json }: { json: boolean }): Promise<number> {
  const config = loadClientConfig();
  const settings = stackSettings(config.project, config.env, config.stack);
  const findings = await examine(settings, config.stack);
  const missing = findings.filter(({ status }) => status === 'missing');
  const cache = toolsCacheDir(config.env);
  if (json) screen.out(JSON.stringify({ ok: missing.length === 0, state: settings.state, cache, findings }));
  else screen.out([...table(findings), '', ...verdict(missing, cache, settings.state)].join('\n'));
  return missing.length === 0 ? EXIT.done : EXIT.unreachable;
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
