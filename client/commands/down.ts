import { type Command } from 'commander';
import { type CommandModule } from '../command';
import { loadClientConfig } from '../config';
import { createProgress, silentProgress } from '../stack/progress';
import { stackSettings } from '../stack/stack-settings';
import { takeDown, type TakenDown } from '../stack/take-down';
import { duration } from '../terminal/duration';
import { printJson } from '../terminal/print-json';
import { screen } from '../terminal/screen';

export const down: CommandModule = {
  define(program: Command) {
    program
      .command('down')
      .description('stop what `retrain up` started; its state stays in .retrain/')
      .option('--json', 'print one JSON object', false)
      .addHelpText('after', '\nExample:\n  retrain down\n')
      .action(run);
  },
};

async function run(options: { json: boolean }): Promise<void> {
  const config = loadClientConfig();
  const progress = options.json ? silentProgress : createProgress(process.stderr);
  let result: TakenDown;
  try {
    result = await takeDown(stackSettings(config.project, config.env, config.stack), progress);
  } finally {
    progress.close();
  }
  if (options.json) printJson('down', result);
  else if (result.stopped.length === 0) screen.out('Nothing was running.');
  else screen.out(`The stack is down (${duration(result.durationMs)}). Its state is kept in .retrain/.`);
}
