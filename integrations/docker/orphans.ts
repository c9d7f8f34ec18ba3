import type Docker from 'dockerode';
import path from 'node:path';
import { removeTreeLater } from '../files/remove-tree';
import { type ContainerOwner, LABEL } from './stage-container';

/**
 * Removes containers whose activity nobody waits for any more: the run ended, was terminated, or has forgotten them. What a
 * pending activity may still take on stays.
 *
 * @param isPending whether the activity is still to be done, by the Temporal server
 * @param scratchDir folders of removed containers below it are removed, too
 * @param active names of the containers that this worker looks after: never touched
 * @returns folders of the containers that stay, and how many went
 */
export async function sweepOrphans(
  engine: Docker,
  scope: string,
  scratchDir: string,
  isPending: (owner: ContainerOwner) => Promise<boolean>,
  active: ReadonlySet<string> = new Set(),
): Promise<{ kept: string[]; removed: number }> {
  const containers = await engine.listContainers({
    all: true,
    filters: { label: [`${LABEL.scope}=${scope}`] },
  });
  const kept: string[] = [];
  let removed = 0;
  for (const { Id, Names, Labels } of containers) {
    const dir = Labels[LABEL.dir] ?? '';
    if (Names.some((name) => active.has(name.replace(/^\//, ''))) || (await isPending(ownerOf(Labels)))) {
      kept.push(dir);
      continue;
    }
    await engine
      .getContainer(Id)
      .remove({ force: true, v: true })
      // Somebody else removes it, too.
      .catch(() => undefined);
    if (path.dirname(dir) === scratchDir) await removeTreeLater(dir);
    removed++;
  }
  return { kept, removed };
}

function ownerOf(labels: Readonly<Record<string, string>>): ContainerOwner {
  return {
    workflowId: labels[LABEL.workflowId] ?? '',
    workflowRunId: labels[LABEL.workflowRunId] ?? '',
    activityId: labels[LABEL.activityId] ?? '',
    attempt: Number(labels[LABEL.attempt] ?? 0),
  };
}
