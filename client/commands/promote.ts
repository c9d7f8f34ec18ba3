import { type Command } from 'commander';
import { RetrainError } from '../../contracts/errors';
import { UPDATE } from '../../contracts/names';
import { parseModelReference } from '../../integrations/mlflow/registered-run';
import { type CommandModule } from '../command';
import { loadClientConfig } from '../config';
import { askByHand } from '../steward/ask';
import { numbered } from '../steward/entry-lines';
import { personAsking } from '../steward/person';
import { printJson } from '../terminal/print-json';
import { paint, screen } from '../terminal/screen';

interface PromoteOptions {
  reason: string;
  force: boolean;
  as?: string;
  json: boolean;
}

export const promote: CommandModule = {
  define(program: Command) {
    program
      .command('promote')
      .description('put a version into production by hand')
      .argument('<model@version>', 'such as iris-classifier@3')
      .requiredOption('--reason <text>', 'why; it goes into the ledger')
      .option('--force', 'also a version that did not pass its quality gate', false)
      .option('--as <name>', 'who asks; default: the user that is logged in')
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nThe files of the version are checked first. Stages and previous-production follow.\n\nExample:\n  retrain promote iris-classifier@3 --reason "the drift is over"\n',
      )
      .action(run);
  },
};

async function run(reference: string, { reason, force, as, json }: PromoteOptions): Promise<void> {
  const config = loadClientConfig();
  const { model, by: which } = parseModelReference(reference);
  if (!('version' in which)) {
    throw new RetrainError('USAGE', `name the version to promote, such as ${model}@3, got ${reference}`);
  }
  const by = personAsking(config, as);
  const ask = { version: which.version, reason, by, force };
  const { entry } = await askByHand(config, model, UPDATE.promote, ask);
  if (json) {
    printJson('promote', { model, entry });
    return;
  }
  screen.out(
    `${paint.good(paint.strong(`${model} v${which.version} is in production`))}, in place of ${numbered(entry.from)}`,
  );
  if (entry.from !== null)
    screen.out(paint.dim(`  undo: retrain rollback ${model} --to ${entry.from} --reason …`));
}
