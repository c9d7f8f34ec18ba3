import path from 'node:path';
import { type Command } from 'commander';
import { type CommandModule } from '../command';
import { loadClientConfig } from '../config';
import { aliasesOf, csvRulesOf, type TableFlags, tableOptions } from '../data/table-flags';
import { printJson } from '../terminal/print-json';
import { progressLine } from '../terminal/progress-line';
import { aligned, paint, screen } from '../terminal/screen';
import { untilInterrupted } from '../terminal/until-interrupted';

interface PredictFlags extends TableFlags {
  model: string;
  out: string;
  columns?: string;
  key?: string;
  json: boolean;
}

export const predict: CommandModule = {
  define(program: Command) {
    tableOptions(
      program
        .command('predict')
        .description('score a table of any size with a model, file to file')
        .argument('<data>', 'CSV, Parquet or JSON lines, a file or a folder of them; .gz too')
        .requiredOption('--model <model>', 'such as iris-classifier@production, or the folder of a model')
        .requiredOption('--out <file>', 'where the answers go: .parquet, .csv or .jsonl')
        .option('--columns <names>', 'columns of the data to keep beside the answers: a,b or all'),
    )
      .option('--key <file>', 'the public key of the model’s signature; default: RETRAIN_SIGNING_PUBLIC_KEY')
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nThe rows keep their order. Columns: prediction; of a classification also probability, probability_CLASS and, where the evaluation\nchose a cut-off, decision. The file appears as a whole or not at all: whatever ends this command, repeat it.\n\nExample:\n  retrain predict data/june.csv --model iris-classifier@production --out predictions.parquet --columns id\n',
      )
      .action((data: string, flags: PredictFlags) =>
        untilInterrupted('the prediction', (signal) => run(data, flags, signal)),
      );
  },
};

async function run(data: string, flags: PredictFlags, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  const [{ openReference }, { publicKeyOf }, { formatOf }] = await Promise.all([
    import('../../serving/model/open-reference.js'),
    import('../../integrations/signing/public-key.js'),
    import('../../serving/tables/out-file.js'),
  ]);
  const { project, env, mlflow, state } = loadClientConfig();
  const format = formatOf(flags.out);
  const aliases = aliasesOf(flags.alias);
  const given = csvRulesOf(flags);
  const setting = flags.key === undefined ? 'RETRAIN_SIGNING_PUBLIC_KEY' : '--key';
  const publicKey = publicKeyOf(flags.key ?? env['RETRAIN_SIGNING_PUBLIC_KEY'], setting, project);
  const shelf = { mlflow, dir: path.join(state, 'serving') };
  const named = await openReference(flags.model, project, shelf, { publicKey, signal, judge: 'beside' });
  const { card, judged } = named;
  const progress = flags.json ? null : progressLine(screen, 'predict');
  try {
    // DuckDB is loaded while onnxruntime looks at the model.
    const [{ predictTable }, { aboutModel }, { readingRules }] = await Promise.all([
      import('../../serving/tables/predict-table.js'),
      import('../../serving/tables/about-model.js'),
      import('../../serving/tables/reading-rules.js'),
    ]);
    const about = await aboutModel(named, card);
    const rules = readingRules(given, card.rules);
    const done = await predictTable({
      ...{ dataPath: path.resolve(project, data), file: data, out: path.resolve(project, flags.out) },
      ...{ model: named.model, judged, about, aliases, rules, project, signal },
      pattern: flags.files,
      columns: flags.columns === 'all' ? 'all' : flags.columns?.split(',').map((name) => name.trim()),
      onProgress: (rows) => progress?.show({ phase: 'rows', done: rows }),
    });
    progress?.end();
    const model = named.registered;
    const seconds = (performance.now() - started) / 1000;
    if (flags.json) {
      printJson('predict', {
        ...{ data, out: flags.out, format, model: model?.name ?? flags.model, dir: named.dir },
        ...{ modelVersion: model?.version ?? null, mlflowRunId: model?.mlflowRunId ?? null },
        ...{ fresh: model?.fresh ?? true, ...done, durationMs: seconds * 1000 },
      });
      return;
    }
    if (model?.fresh === false)
      screen.err(paint.dim('MLflow does not answer: this is the model of the last time'));
    screen.out(
      [
        paint.good(paint.strong(`${flags.out} has ${done.rows.toLocaleString('en')} answers`)),
        ...aligned([
          [paint.dim('  model'), model === null ? flags.model : `${model.name} v${model.version}`],
          [paint.dim('  data'), `${data} (${done.dataSha256.slice(0, 12)})`],
          [paint.dim('  took'), `${seconds.toFixed(1)} s`],
        ]),
      ].join('\n'),
    );
  } finally {
    progress?.end();
    await Promise.allSettled([named.model.close(), judged.then((other) => other.close())]);
  }
}
