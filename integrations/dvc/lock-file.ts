import { isMap } from 'yaml';
import { z } from 'zod';
import { RetrainError } from '../../contracts/errors';
import { writeAtomically } from '../files/atomic-write';
import { byCodePoint } from '../../ml/dataset/code-point-order';
import { OutEntry } from './out-entry';
import { documentText, toNode, toYaml } from './yaml-text';
import { readYaml } from './yaml-file';

/** What `dvc.lock` says about one stage: the command, and the content of all that goes in and comes out. */
export const LockedStage = z.looseObject({
  cmd: z.union([z.string(), z.array(z.string())]),
  deps: z.array(OutEntry).default([]),
  /** File → key, dotted below the top level → value. */
  params: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  outs: z.array(OutEntry).default([]),
});
export type LockedStage = z.infer<typeof LockedStage>;

const LockFile = z.looseObject({
  schema: z.literal('2.0').optional(),
  stages: z.record(z.string(), LockedStage).default({}),
});

/**
 * All stages of a `dvc.lock`; none when it is not there.
 *
 * @throws RetrainError `CONFIG_INVALID`
 */
export async function readLockFile(path: string): Promise<Record<string, LockedStage>> {
  return (await readYaml(path, LockFile))?.value.stages ?? {};
}

/**
 * Enters stages into a `dvc.lock`; all others stay as they are. Call it under the workspace lock.
 *
 * @throws RetrainError `CONFIG_INVALID` when the file there is no lock of DVC 3
 */
export async function updateLockFile(path: string, stages: Record<string, LockedStage>): Promise<void> {
  const found = await readYaml(path, LockFile);
  const locked = Object.entries(stages).map(([name, stage]) => [name, inDvcOrder(stage)] as const);
  if (!found?.document.contents) {
    return writeAtomically(path, toYaml({ schema: '2.0', stages: Object.fromEntries(locked) }));
  }
  const { document } = found;
  if (found.value.schema !== '2.0') {
    throw new RetrainError(
      'CONFIG_INVALID',
      `${path} has no schema '2.0'; let \`dvc repro\` of DVC 3 write it again`,
    );
  }
  if (!isMap(document.get('stages'))) document.set('stages', toNode(document, {}));
  for (const [name, stage] of locked) document.setIn(['stages', name], toNode(document, stage));
  const text = documentText(document, found.text);
  if (text !== found.text) await writeAtomically(path, text);
}

/** Keys and lists as DVC sorts them: `params.yaml` first, all else by code point; empty parts left out. */
function inDvcOrder({ cmd, deps, params, outs }: LockedStage): Partial<LockedStage> {
  const byPath = (entries: readonly OutEntry[]) => [...entries].sort((a, b) => byCodePoint(a.path, b.path));
  const files = Object.keys(params).sort((a, b) =>
    a === 'params.yaml' ? -1 : b === 'params.yaml' ? 1 : byCodePoint(a, b),
  );
  const sorted = files.map((file) => [file, sortedKeys(params[file]!)] as const);
  return {
    cmd,
    ...(deps.length > 0 && { deps: byPath(deps) }),
    ...(files.length > 0 && { params: Object.fromEntries(sorted) }),
    ...(outs.length > 0 && { outs: byPath(outs) }),
  };
}

function sortedKeys(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => byCodePoint(a, b)));
}
