import { type Command } from 'commander';
import { EXIT, RetrainError } from '../../contracts/errors';
import { type CommandModule } from '../command';
import { loadClientConfig } from '../config';
import { progressLine } from '../terminal/progress-line';
import { printJson } from '../terminal/print-json';
import { screen } from '../terminal/screen';
import { untilInterrupted } from '../terminal/until-interrupted';

interface EvaluateOptions {
  gate: string[];
  set: string[];
  params?: string;
  data?: string;
  json: boolean;
}

const collect = (value: string, before: string[]): string[] => [...before, value];

export const evaluate: CommandModule = {
  define(program: Command) {
    program
      .command('evaluate')
      .description(
        'judge a registered version again, by another gate, policy or table; nothing is trained or moved',
      )
      .argument('<model@version>', 'such as iris-classifier@3 or iris-classifier@staging')
      .option('--gate <metric=limit>', 'in place of its gate (repeatable)', collect, [])
      .option('--set <key=value>', 'change a key of promote or evaluate (repeatable)', collect, [])
      .option('--params <file>', 'take gate, promote and evaluate from this file; default: as it was trained')
      .option('--data <file>', 'score it on this table; default: its own held-out rows')
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nThe files are held against their provenance first. A table of --data is prepared as the version’s params say, and the rows\nthat it was trained on are left out. The comparison is with what is production now. Exit code 3 when the gate fails.\n\nExample:\n  retrain evaluate iris-classifier@3 --gate accuracy=0.95 --data data/june.csv\n',
      )
      .action(async (reference: string, options: EvaluateOptions) => {
        process.exitCode = await untilInterrupted('the evaluation', (signal) =>
          run(reference, options, signal),
        );
      });
  },
};

async function run(
  text: string,
  { gate, set, params, data, json }: EvaluateOptions,
  signal: AbortSignal,
): Promise<number> {
  const [{ judgeVersion }, { createMlflow }, { parseModelReference }, { judgementLines, judgementJson }] =
    await Promise.all([
      import('../evaluate/judge-version.js'),
      import('../../integrations/mlflow/client.js'),
      import('../../integrations/mlflow/registered-run.js'),
      import('../evaluate/judgement-lines.js'),
    ]);
  const reference = parseModelReference(text);
  if (!/[@/]/.test(text.replace(/^models:\//, ''))) {
    throw new RetrainError(
      'USAGE',
      `name the version, such as ${reference.model}@3 or @staging, got ${text}`,
    );
  }
  const config = loadClientConfig();
  const mlflow = createMlflow(config.mlflow);
  const progress = json ? null : progressLine(screen, 'evaluate');
  try {
    const rules = {
      ...{ gate, set },
      ...(params === undefined ? {} : { params }),
      ...(data === undefined ? {} : { data }),
    };
    const judgement = await judgeVersion(config, mlflow, reference, rules, { progress, signal });
    progress?.end();
    if (json) printJson('evaluate', judgementJson(judgement));
    else screen.out(judgementLines(judgement).join('\n'));
    return judgement.outcome === 'gate_failed' ? EXIT.gateFailed : EXIT.done;
  } finally {
    progress?.end();
    await mlflow.close();
  }
}
