import { type Command } from 'commander';
import { UPDATE } from '../../contracts/names';
import { type CommandModule } from '../command';
import { loadClientConfig } from '../config';
import { askByHand } from '../steward/ask';
import { numbered } from '../steward/entry-lines';
import { personAsking } from '../steward/person';
import { bareVersion } from '../steward/version';
import { printJson } from '../terminal/print-json';
import { paint, screen } from '../terminal/screen';

interface RollbackOptions {
  to?: string;
  reason: string;
  as?: string;
  json: boolean;
}

export const rollback: CommandModule = {
  define(program: Command) {
    program
      .command('rollback')
      .description('put back what was production before')
      .argument('<model>', 'the registered model')
      .option(
        '--to <version>',
        'any version that was production; default: the newest one that was not rolled back',
      )
      .requiredOption('--reason <text>', 'why; it goes into the ledger')
      .option('--as <name>', 'who asks; default: the user that is logged in')
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nThe files of the version are checked first. What is rolled back is not promoted again by a run, unless by --force.\n\nExample:\n  retrain rollback iris-classifier --reason "scores fell after the release"\n',
      )
      .action(run);
  },
};

async function run(model: string, { to, reason, as, json }: RollbackOptions): Promise<void> {
  const config = loadClientConfig();
  const by = personAsking(config, as);
  const ask = { reason, by, ...(to === undefined ? {} : { to: bareVersion(to) }) };
  const { entry } = await askByHand(config, model, UPDATE.rollback, ask);
  if (json) {
    printJson('rollback', { model, entry });
    return;
  }
  screen.out(`${paint.strong(`${model} is back at ${numbered(entry.to)}`)}, from ${numbered(entry.from)}`);
  if (entry.from !== null) screen.out(paint.dim(`  undo: retrain promote ${model}@${entry.from} --reason …`));
}
