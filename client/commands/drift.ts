import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Command } from 'commander';
import { type DriftReport } from '../../contracts/drift';
import { EXIT, RetrainError } from '../../contracts/errors';
import { type Mlflow } from '../../integrations/mlflow/client';
import { type KeptReport } from '../../serving/watch/keep-report';
import { type CommandModule } from '../command';
import { loadClientConfig } from '../config';
import { tableOptions } from '../data/table-flags';
import { type DriftFlags } from '../drift/drift-flags';
import { printJson } from '../terminal/print-json';
import { progressLine } from '../terminal/progress-line';
import { screen } from '../terminal/screen';
import { untilInterrupted } from '../terminal/until-interrupted';

export const drift: CommandModule = {
  define(program: Command) {
    tableOptions(
      program
        .command('drift')
        .description('whether rows of now still look like those that a model was trained on')
        .argument(
          '[model]',
          'such as iris-classifier@production or iris-classifier@3; default: that of the params file',
        )
        .option('--data <file>', 'look at a table: CSV, Parquet or JSON lines, a file or a folder of them')
        .option('--log', 'look at the prediction log of this project (the default)', false)
        .option('--window <span>', 'how much of the log: 12h, 7d, 2w; default: drift.window')
        .option('--until <time>', 'where that ends, as 2026-03-09 or "2026-03-09 14:00" (UTC); default: now'),
    )
      .option('--params <file>', 'the params file, whose `drift` says what is an alarm', 'params.yaml')
      .option('--report <file>', 'write the report there, an HTML page')
      .option('--no-keep', 'keep no report in MLflow')
      .option('--key <file>', 'the public key of the model’s signature; default: RETRAIN_SIGNING_PUBLIC_KEY')
      .option('--fail-on-alarm', 'end with exit code 3 when something has drifted', false)
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nEach column, the predictions and all columns together are held against the training rows of that version. However large the sample, a\nfalse alarm comes as rarely as drift.false_alarms says. The exit code is 0, drift or not, and 3 with --fail-on-alarm.\n\nExamples:\n  retrain drift iris-classifier@production --window 7d\n  retrain drift iris-classifier@production --data data/june.csv --report drift.html\n',
      )
      .action(async (model: string | undefined, flags: DriftFlags) => {
        process.exitCode = await untilInterrupted('the check', (signal) => run(model, flags, signal));
      });
  },
};

async function run(named: string | undefined, flags: DriftFlags, signal: AbortSignal): Promise<number> {
  const now = Date.now();
  const config = loadClientConfig();
  const [{ driftQuestion }, { openDriftDeps }, { checkDrift }, { driftLines }, { requireLogged }] =
    await Promise.all([
      import('../drift/drift-question.js'),
      import('../drift/drift-deps.js'),
      import('../../serving/watch/check-drift.js'),
      import('../drift/drift-lines.js'),
      import('../drift/require-logged.js'),
    ]);
  const question = await driftQuestion(config, named, flags, now);
  const { deps, close } = await openDriftDeps(config, flags.key);
  const progress = flags.json ? null : progressLine(screen, 'drift');
  try {
    const report = await checkDrift(deps, question, {
      signal,
      onProgress: (phase, done) => progress?.show(done === undefined ? { phase } : { phase, done }),
    });
    progress?.end();
    await requireLogged(deps.predictions, report);
    const html = await written(config.project, flags.report, report);
    const kept = flags.keep && report.enough ? await keep(deps.mlflow, report, now, signal) : null;
    if (flags.json) printJson('drift', { ...report, kept, html });
    else screen.out(driftLines(report, kept?.link ?? null, html).join('\n'));
    return flags.failOnAlarm && report.causes.length > 0 ? EXIT.gateFailed : EXIT.done;
  } finally {
    progress?.end();
    await close();
  }
}

async function keep(
  mlflow: Mlflow,
  report: DriftReport,
  at: number,
  signal: AbortSignal,
): Promise<KeptReport> {
  const { keepDriftReport } = await import('../../serving/watch/keep-report.js');
  return keepDriftReport(mlflow, report, at, signal);
}

/** @returns the file's name as it was given; null without one */
async function written(
  project: string,
  file: string | undefined,
  report: DriftReport,
): Promise<string | null> {
  if (file === undefined) return null;
  const { driftHtml } = await import('../../ml/report/drift-html.js');
  try {
    await writeFile(path.resolve(project, file), driftHtml(report));
  } catch (cause) {
    throw new RetrainError(
      'USAGE',
      `--report ${file}: cannot be written there: ${(cause as Error).message}; name a file in a folder that is there`,
      { cause },
    );
  }
  return file;
}
