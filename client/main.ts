import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { EXIT, RetrainError } from '../contracts/errors';
import { type JsonError } from '../contracts/json-output';
import { type CommandModule } from './command';
import { packageRoot } from './stack/package-root';
import { currentState } from './config';
import { unforeseen } from '../integrations/files/error-trace';
import { storageTrouble } from '../integrations/files/storage-trouble';
import { paint, screen } from './terminal/screen';

/** Each command is a file of its own, loaded only when it is the one that was asked for. */
const COMMANDS: Record<string, () => Promise<CommandModule>> = {
  start: async () => (await import('./commands/start.js')).start,
  plan: async () => (await import('./commands/plan.js')).plan,
  list: async () => (await import('./commands/list.js')).list,
  show: async () => (await import('./commands/show.js')).show,
  cancel: async () => (await import('./commands/cancel.js')).cancel,
  promote: async () => (await import('./commands/promote.js')).promote,
  rollback: async () => (await import('./commands/rollback.js')).rollback,
  approve: async () => (await import('./commands/approve.js')).approve,
  reject: async () => (await import('./commands/reject.js')).reject,
  evaluate: async () => (await import('./commands/evaluate.js')).evaluate,
  history: async () => (await import('./commands/history.js')).history,
  validate: async () => (await import('./commands/validate.js')).validate,
  up: async () => (await import('./commands/up.js')).up,
  down: async () => (await import('./commands/down.js')).down,
  doctor: async () => (await import('./commands/doctor.js')).doctor,
  stage: async () => (await import('./commands/stage.js')).stage,
  collect: async () => (await import('./commands/collect.js')).collect,
  data: async () => (await import('./commands/data.js')).data,
  restore: async () => (await import('./commands/restore.js')).restore,
  predict: async () => (await import('./commands/predict.js')).predict,
  drift: async () => (await import('./commands/drift.js')).drift,
  verify: async () => (await import('./commands/verify.js')).verify,
  reproduce: async () => (await import('./commands/reproduce.js')).reproduce,
  alarms: async () => (await import('./commands/alarms.js')).alarms,
  schedule: async () => (await import('./commands/schedule.js')).schedule,
  serve: async () => (await import('./commands/serve.js')).serve,
};

async function main(argv: string[]): Promise<void> {
  const program = new Command('retrain')
    .description('Turns "the data changed" into "the right model is in production, and I can prove why".')
    .version(ownVersion())
    // What comes after a command is the command’s: `approve` has a --version of its own.
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(paint.bad(text)) });
  const modules = await Promise.all(commandsFor(argv[2] ?? '').map((load) => load()));
  for (const module of modules) module.define(program);
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = report(error, argv.includes('--json'));
  }
}

/** The command that was asked for; all of them for help, and for what is none. */
function commandsFor(word: string): (() => Promise<CommandModule>)[] {
  if (['-V', '--version'].includes(word)) return [];
  const wanted = COMMANDS[word];
  return wanted === undefined ? Object.values(COMMANDS) : [wanted];
}

function ownVersion(): string {
  const text = readFileSync(join(packageRoot(), 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** One line on stderr; with `--json` an object on stdout as well. */
function report(error: unknown, json: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const known = error instanceof RetrainError ? error : storageTrouble(error, { folder: currentState() });
  if (known !== null) {
    const shown: JsonError = { error: { code: known.code, message: known.message } };
    if (json) screen.out(JSON.stringify(shown));
    screen.err(`${paint.bad('error:')} ${known.message}`);
    return known.exitCode;
  }
  const message = unforeseen(error, currentState());
  if (json) screen.out(JSON.stringify({ error: { code: 'UNFORESEEN', message } }));
  screen.err(`${paint.bad('error:')} ${message}`);
  return EXIT.failed;
}

// Whoever reads our output may have seen enough (`retrain list | head -1`): no error, and no trace.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    process.exit(report(error, process.argv.includes('--json')));
  });
}

void main(process.argv);
