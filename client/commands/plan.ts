import { type Command } from 'commander';
import { listed } from '../../contracts/errors';
import { readStageCode } from '../../pipeline/stage-code';
import { type CommandModule } from '../command';
import { loadClientConfig } from '../config';
import { parseOverrides } from '../run/overrides';
import { type PartChange, type Plan } from '../../pipeline/plan/plan';
import { identify } from '../run/start-training';
import { printJson } from '../terminal/print-json';
import { aligned, paint, screen } from '../terminal/screen';

interface PlanOptions {
  params: string;
  set: string[];
  json: boolean;
}

export const plan: CommandModule = {
  define(program: Command) {
    program
      .command('plan')
      .description('say what a start would run and reuse, and what changed since the last run')
      .option('--params <file>', 'the params file', 'params.yaml')
      .option(
        '--set <key=value>',
        'change a key (repeatable)',
        (value: string, before: string[]) => [...before, value],
        [],
      )
      .option('--json', 'print one JSON object', false)
      .addHelpText('after', '\nExample:\n  retrain plan --set train.n_estimators=200\n')
      .action(run);
  },
};

async function run(options: PlanOptions): Promise<void> {
  const config = loadClientConfig();
  const identity = await identify(config, {
    paramsPath: options.params,
    overrides: parseOverrides(options.set),
  });
  const [{ createMlflow }, { planRun }, { openProjectStore }, { StageResults }] = await Promise.all([
    import('../../integrations/mlflow/client.js'),
    import('../../pipeline/plan/plan-run.js'),
    import('../data/project-store.js'),
    import('../../pipeline/results/stage-results.js'),
  ]);
  const { project } = config;
  const code = await readStageCode(config.stageCodeFile);
  const opened = await openProjectStore(config);
  const results = new StageResults(opened.store, { project });
  const mlflow = createMlflow(config.mlflow);
  try {
    const made = await planRun(mlflow, identity, code, results);
    if (options.json) printJson('plan', made);
    else screen.out(planLines(made).join('\n'));
  } finally {
    opened.close();
    await mlflow.close();
  }
}

function planLines({ model, pipelineKey, last, parts, stages, finished, comparison }: Plan): string[] {
  const headline =
    finished === null
      ? `${paint.strong(model)}: a start would train`
      : `${paint.strong(model)}: nothing to do, version ${finished.modelVersion} is this run (${finished.reason})`;
  const since = last === null ? 'the first run of this model' : `compared with version ${last.modelVersion}`;
  return [
    headline,
    '',
    ...aligned([
      ...parts.map((part) => [`  ${part.part}`, paint.dim(part.hash.slice(0, 12)), partNote(part)]),
      ['  key', paint.dim(pipelineKey.slice(0, 16)), paint.dim(since)],
    ]),
    '',
    ...aligned(
      stages.map(({ stage, does, because }) => [
        `  ${does === 'run' ? paint.busy('run') : paint.good('reuse')}`,
        stage,
        paint.dim(because),
      ]),
    ),
    ...(comparison === null ? [] : ['', `  ${paint.strong('comparison')}: ${comparison}`]),
  ];
}

function partNote({ hash, before, details }: PartChange): string {
  if (before === null) return 'new';
  if (before === hash) return 'unchanged';
  return `changed from ${before.slice(0, 12)}${details.length === 0 ? '' : `: ${listed(details)}`}`;
}
