import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Command } from 'commander';
import { EXIT } from '../../contracts/errors';
import { VERSION_TAG } from '../../contracts/names';
import { writeAtomically } from '../../integrations/files/atomic-write';
import { createMlflow, type Mlflow } from '../../integrations/mlflow/client';
import { parseModelReference, recordedTables } from '../../integrations/mlflow/registered-run';
import { updateParams, type ParamChange } from '../../pipeline/run/update-params';
import { type CommandModule } from '../command';
import { loadClientConfig, type ClientConfig } from '../config';
import { checkOut } from '../reproduce/checkout';
import { readRecord, recordedPatch, registeredModelHash, type Recorded } from '../reproduce/record';
import { bringData, rerun } from '../reproduce/rerun';
import { judge, verdictText, type Verdict } from '../reproduce/verdict';
import { createProgress, silentProgress } from '../stack/progress';
import { recordLines, stepLines } from '../terminal/record-lines';
import { printJson } from '../terminal/print-json';
import { paint, screen } from '../terminal/screen';
import { untilInterrupted } from '../terminal/until-interrupted';

interface ReproduceFlags {
  updateParams: boolean;
  run: boolean;
  json: boolean;
}

export const reproduce: CommandModule = {
  define(program: Command) {
    program
      .command('reproduce')
      .description('say how a model version was made, and make it again')
      .argument(
        '<model>',
        'such as iris-classifier, iris-classifier@staging, iris-classifier@3; else the one in production',
      )
      .option('--update-params', 'write the recorded params into the params file, comments kept', false)
      .option('--run', 'train it again in a clean checkout of its commit, and compare', false)
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nWith --run the last line is the verdict: bit-identical (the same model bytes), metric-identical, or diverged at stage X\n(exit code 1). It becomes a tag of the model version; aliases, and the files of this project, stay as they are.\n\nExample:\n  retrain reproduce iris-classifier@production --run\n',
      )
      .action(async (model: string, flags: ReproduceFlags) => {
        process.exitCode = await untilInterrupted('the reproduction', (signal) => run(model, flags, signal));
      });
  },
};

async function run(model: string, flags: ReproduceFlags, signal: AbortSignal): Promise<number> {
  const reference = parseModelReference(model);
  const config = loadClientConfig();
  const mlflow = createMlflow(config.mlflow);
  try {
    const recorded = await readRecord(mlflow, reference, signal);
    if (!flags.json) screen.out(recordLines(recorded).join('\n'));
    const changes = flags.updateParams ? await writeParams(config, recorded) : null;
    if (changes !== null && !flags.json) screen.out(['', ...changeLines(recorded, changes)].join('\n'));
    const outcome = flags.run ? await runAgain(config, mlflow, recorded, flags.json, signal) : null;
    if (flags.json) {
      printJson('reproduce', { ...recorded, updated: changes, reproduction: outcome });
    } else if (outcome === null) {
      screen.out(['', ...stepLines(recorded, changes !== null)].join('\n'));
    } else {
      for (const note of outcome.notes) screen.out(paint.dim(`  note: ${note}`));
      for (const difference of outcome.differences) screen.out(`  ${difference}`);
      const text = `${recorded.model} v${recorded.version}: ${verdictText(outcome)}`;
      screen.out(outcome.verdict === 'diverged' ? paint.bad(text) : paint.good(text));
    }
    return outcome?.verdict === 'diverged' ? EXIT.failed : EXIT.done;
  } finally {
    await mlflow.close();
  }
}

/** @throws RetrainError CONFIG_INVALID for a params file that is not valid as it is */
async function writeParams(
  { project }: ClientConfig,
  { params, paramsPath }: Recorded,
): Promise<ParamChange[]> {
  const file = path.join(project, paramsPath);
  const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  const { text, changes } = updateParams(before, params, paramsPath);
  if (text !== before) await writeAtomically(file, text);
  return changes;
}

function changeLines({ paramsPath }: Recorded, changes: readonly ParamChange[]): string[] {
  if (changes.length === 0) return [`${paramsPath} says the same already`];
  const shown = (value: unknown): string => (value === undefined ? '(none)' : JSON.stringify(value));
  return [
    `${paramsPath} was changed:`,
    ...changes.map(({ key, from, to }) => `  ${key} ${shown(from)} → ${shown(to)}`),
  ];
}

/** Trains it again in a folder that goes when this ends, and tags the version with the verdict. */
async function runAgain(
  config: ClientConfig,
  mlflow: Mlflow,
  recorded: Recorded,
  quiet: boolean,
  signal: AbortSignal,
): Promise<Verdict & { notes: string[] }> {
  const progress = quiet ? silentProgress : createProgress(process.stderr);
  const dir = await mkdtemp(path.join(tmpdir(), 'retrain-reproduce-'));
  const each = { progress, signal };
  try {
    const patch = recorded.git.dirty ? await recordedPatch(mlflow, recorded, signal) : null;
    const checkout = await checkOut(config, recorded, patch, dir, each);
    try {
      for (const table of recordedTables(recorded.data)) {
        progress.update('data', table.path);
        progress.done('data', `${table.path} ${await bringData(config, checkout, table, signal)}`);
      }
      const now = await rerun(config, checkout, recorded, dir, each);
      const model = await registeredModelHash(mlflow, recorded, signal);
      const verdict = judge({ ...recorded, model }, now);
      await mlflow.registry.setVersionTags(
        recorded.model,
        recorded.version,
        {
          [VERSION_TAG.reproduced]: verdictText(verdict),
          [VERSION_TAG.reproducedAt]: new Date().toISOString(),
          [VERSION_TAG.reproducedCommit]: recorded.git.commit,
        },
        signal,
      );
      return { ...verdict, notes: checkout.notes };
    } finally {
      await checkout.remove();
    }
  } finally {
    progress.close();
    await rm(dir, { recursive: true, force: true });
  }
}
