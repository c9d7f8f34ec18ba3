import { type Command } from 'commander';
import { UPDATE } from '../../contracts/names';
import { loadClientConfig } from '../config';
import { printJson } from '../terminal/print-json';
import { paint, screen } from '../terminal/screen';
import { askByHand } from './ask';
import { personAsking } from './person';
import { bareVersion } from './version';

interface AnswerOptions {
  version: string;
  reason: string;
  as?: string;
  json: boolean;
}

interface AnswerText {
  name: 'approve' | 'reject';
  description: string;
  /** What is then true of the version. */
  done: string;
  example: string;
}

/** `retrain approve` and `retrain reject`, which differ in what they ask for only. */
export function answerCommand(program: Command, { name, description, done, example }: AnswerText): void {
  program
    .command(name)
    .description(description)
    .argument('<model>', 'the registered model')
    .requiredOption('--version <n>', 'the version that waits')
    .requiredOption('--reason <text>', 'why; it goes into the ledger')
    .option('--as <name>', 'who answers; default: the user that is logged in')
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', `\nExample:\n  ${example}\n`)
    .action(async (model: string, options: AnswerOptions) => {
      const config = loadClientConfig();
      const version = bareVersion(options.version);
      const by = personAsking(config, options.as);
      const { entry } = await askByHand(config, model, UPDATE[name], { version, reason: options.reason, by });
      if (options.json) printJson(name, { model, entry });
      else screen.out(`${paint.strong(`${model} v${version}`)} ${done}`);
    });
}
