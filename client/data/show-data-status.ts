import { dataStatus, describeStatus } from '../../integrations/dvc/data-status';
import { pipelineStatus } from '../../integrations/dvc/pipeline-status';
import { trackedOuts } from '../../integrations/dvc/tracked-outs';
import { chosen } from './chosen-outs';
import { loadClientConfig } from '../config';
import { requireWorkspace } from './project-store';
import { printJson } from '../terminal/print-json';
import { paint, screen } from '../terminal/screen';

/** Prints what differs from what dvc.lock and .dvc files record. @throws RetrainError CONFIG_NOT_FOUND, NOT_FOUND for a target */
export async function showDataStatus(targets: string[], json: boolean): Promise<void> {
  const workspace = await requireWorkspace(loadClientConfig());
  try {
    const outs = await dataStatus(workspace, chosen(await trackedOuts(workspace.root), targets));
    const stages = targets.length === 0 ? await pipelineStatus(workspace) : [];
    if (json) {
      printJson('data status', { outs, stages });
      return;
    }
    const differing = outs.filter(({ state, inCache }) => state !== 'unchanged' || !inCache);
    const lines = [
      ...differing.map((out) => `  ${describeStatus(out)}`),
      ...stages.map(({ stage, changes }) => `  ${stage}: ${changes.join(', ')}`),
    ];
    const summary = `${outs.length} tracked ${outs.length === 1 ? 'path' : 'paths'}`;
    screen.out(
      lines.length === 0
        ? paint.good(`Data and pipelines are up to date (${summary}).`)
        : [`${lines.length} of what is recorded differ (${summary}):`, ...lines].join('\n'),
    );
  } finally {
    workspace.close();
  }
}
