import { type Command } from 'commander';
import { RetrainError } from '../../contracts/errors';
import { type LedgerEntry } from '../../contracts/steward';
import { productionAt } from '../../ml/ledger/chain';
import { type CommandModule } from '../command';
import { loadClientConfig } from '../config';
import { historyLines, numbered, oneLine } from '../steward/entry-lines';
import { parseMoment } from '../steward/moment';
import { waitingLines, waitingOf } from '../steward/pending-lines';
import { mirroredLedger, stewardStanding, wholeLedger } from '../steward/read-ledger';
import { printJson } from '../terminal/print-json';
import { paint, screen } from '../terminal/screen';

interface HistoryOptions {
  at?: string;
  limit: string;
  verify: boolean;
  json: boolean;
}

export const history: CommandModule = {
  define(program: Command) {
    program
      .command('history')
      .description('show what was in production when, who moved it, and why; and what waits for approval')
      .argument('<model>', 'the registered model')
      .option('--at <time>', "what was production then: '2026-03-01 14:03' (UTC), or with a zone")
      .option('--verify', 'check the chain of entries in MLflow, without Temporal', false)
      .option('--limit <n>', 'the newest n entries', '50')
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        "\nExit code 1 when the chain is broken.\n\nExample:\n  retrain history iris-classifier --at '2026-03-01 14:03'\n",
      )
      .action(run);
  },
};

async function run(model: string, options: HistoryOptions): Promise<void> {
  const config = loadClientConfig();
  // A moment that cannot be read is said before anything is asked.
  const moment = options.at === undefined ? null : parseMoment(options.at);
  const limit = wholeNumber(options.limit);
  if (options.verify) return verify(model, await mirroredLedger(config, model), options.json);
  const entries = await wholeLedger(config, model);
  if (moment !== null) return showMoment(model, entries, moment, options.json);
  const shown = entries.slice(-limit);
  const standing = await stewardStanding(config, model);
  const waiting = waitingOf(config.mlflow, standing?.pending ?? []);
  if (options.json) {
    printJson('history', { model, entries: shown, total: entries.length, waiting });
  } else screen.out([...historyLines(shown), ...waitingLines(model, waiting)].join('\n'));
}

function verify(model: string, entries: readonly LedgerEntry[], json: boolean): void {
  const head = entries.at(-1)?.hash ?? '';
  if (json) printJson('history', { model, verified: true, entries: entries.length, head });
  else {
    screen.out(
      `${paint.good(paint.strong(`The ledger of ${model} is whole`))}: ${entries.length} entries, head ${head.slice(0, 16)}`,
    );
  }
}

function showMoment(model: string, entries: readonly LedgerEntry[], moment: number, json: boolean): void {
  const entry = productionAt(entries, moment);
  const at = new Date(moment).toISOString();
  if (json) printJson('history', { model, at, production: entry?.to ?? null, entry });
  else if (entry === null) screen.out(`Nothing was in production at ${at}, as far as the ledger goes back.`);
  else {
    screen.out(
      [
        `${paint.strong(`${model} ${numbered(entry.to)}`)} was in production at ${at}`,
        `  since ${entry.at}, by ${oneLine(entry.by)}: ${oneLine(entry.reason)}`,
      ].join('\n'),
    );
  }
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new RetrainError('USAGE', `--limit must be a whole number from 1 on, got ${text}`);
}
