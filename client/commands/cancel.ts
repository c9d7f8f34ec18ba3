import { type Command } from 'commander';
import { RetrainError } from '../../contracts/errors';
import { canonicalWorkflowId } from '../../contracts/names';
import { type CommandModule } from '../command';
import { loadClientConfig } from '../config';
import { parseOverrides } from '../run/overrides';
import { identify } from '../run/start-training';
import { printJson } from '../terminal/print-json';
import { screen } from '../terminal/screen';

interface CancelOptions {
  params: string;
  set: string[];
  json: boolean;
}

export const cancel: CommandModule = {
  define(program: Command) {
    program
      .command('cancel')
      .description('cancel a run that is going on; its MLflow run is marked KILLED')
      .argument('[workflow-id]', 'default: the run of this data, params and code')
      .option('--params <file>', 'the params file', 'params.yaml')
      .option(
        '--set <key=value>',
        'as given to start (repeatable)',
        (value: string, before: string[]) => [...before, value],
        [],
      )
      .option('--json', 'print one JSON object', false)
      .addHelpText('after', '\nExample:\n  retrain cancel train-iris-classifier-3fa94c1d20b7e655\n')
      .action(run);
  },
};

async function run(given: string | undefined, options: CancelOptions): Promise<void> {
  const config = loadClientConfig();
  const workflowId = given ?? (await ownWorkflowId(config, options));
  const { withTemporal } = await import('../run/temporal-session.js');
  await withTemporal(config, async ({ client }) => {
    const handle = client.workflow.getHandle(workflowId);
    const { status, runId } = await handle.describe();
    if (status.name !== 'RUNNING') {
      throw new RetrainError(
        'NOT_FOUND',
        `${workflowId} is not running: it ${status.name.toLowerCase().replaceAll('_', ' ')}`,
      );
    }
    await handle.cancel();
    if (options.json) printJson('cancel', { workflowId, workflowRunId: runId, cancelled: true });
    else screen.out(`Asked ${workflowId} to stop.`);
  });
}

async function ownWorkflowId(
  config: ReturnType<typeof loadClientConfig>,
  options: CancelOptions,
): Promise<string> {
  const { params, pipelineKey } = await identify(config, {
    paramsPath: options.params,
    overrides: parseOverrides(options.set),
  });
  return canonicalWorkflowId(params.model, pipelineKey);
}
