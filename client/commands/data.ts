import { type Command } from 'commander';
import { type CommandModule } from '../command';
import { type TransferFlags } from '../data/transfer-data';
import { untilInterrupted } from '../terminal/until-interrupted';

const EXPLANATION =
  '\nBeside what dvc push and pull move, the training data of our stages and their cached results are moved, so that\nanother machine reuses them. The remote is that of .dvc/config.\n';

export const data: CommandModule = {
  define(program: Command) {
    const group = program
      .command('data')
      .description('the versions of data and models, in the formats of DVC: status, push, pull')
      .addHelpText('after', '\nExample:\n  retrain data status\n');
    group
      .command('status')
      .description('say what differs from what dvc.lock and .dvc files record')
      .argument('[target...]', 'tracked paths or stages; default: all')
      .option('--json', 'print one JSON object', false)
      .addHelpText('after', '\nExample:\n  retrain data status\n')
      .action(async (targets: string[], { json }: { json: boolean }) => {
        const { showDataStatus } = await import('../data/show-data-status.js');
        await showDataStatus(targets, json);
      });
    group
      .command('push')
      .description('bring what the workspace tracks to the remote')
      .argument('[target...]', 'tracked paths or stages; default: all')
      .option('--remote <name>', 'a remote of .dvc/config; default: its core.remote')
      .option('--json', 'print one JSON object', false)
      .addHelpText('after', `${EXPLANATION}\nExample:\n  retrain data push\n`)
      .action((targets: string[], flags: TransferFlags) =>
        untilInterrupted('the push', async (signal) => {
          const { pushData } = await import('../data/transfer-data.js');
          await pushData(targets, flags, signal);
        }),
      );
    group
      .command('pull')
      .description('fetch what the workspace tracks, and put it there')
      .argument('[target...]', 'tracked paths or stages; default: all')
      .option('--remote <name>', 'a remote of .dvc/config; default: its core.remote')
      .option('--force', 'overwrite local changes', false)
      .option('--json', 'print one JSON object', false)
      .addHelpText('after', `${EXPLANATION}\nExample:\n  retrain data pull\n`)
      .action((targets: string[], flags: TransferFlags) =>
        untilInterrupted('the pull', async (signal) => {
          const { pullData } = await import('../data/transfer-data.js');
          await pullData(targets, flags, signal);
        }),
      );
  },
};
