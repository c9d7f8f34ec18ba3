import { basename } from 'node:path';
import { isMap, isSeq } from 'yaml';
import { z } from 'zod';
import { RetrainError } from '../../contracts/errors';
import { writeAtomically } from '../files/atomic-write';
import { OutEntry, outEntry, type OutContent } from './out-entry';
import { documentText, toNode, toYaml } from './yaml-text';
import { readYaml } from './yaml-file';

/** A `.dvc` file: tracked data that no stage makes. */
export const DvcFile = z.looseObject({ outs: z.array(OutEntry).min(1), wdir: z.string().optional() });
export type DvcFile = z.infer<typeof DvcFile>;

/**
 * Null when it is not there.
 *
 * @throws RetrainError `CONFIG_INVALID`
 */
export async function readDvcFile(path: string): Promise<DvcFile | null> {
  return (await readYaml(path, DvcFile))?.value ?? null;
}

/**
 * Writes what `dvc add` would: the content of one tracked path. Comments and other settings of a file that is there stay, and one that
 * says the same already is not touched. Call it under the workspace lock.
 *
 * @param path of the `.dvc` file, which stands beside the data
 * @throws RetrainError `CONFIG_INVALID` when the file tracks something else
 */
export async function writeDvcFile(path: string, content: OutContent): Promise<void> {
  const name = basename(path).replace(/\.dvc$/, '');
  const entry = outEntry(name, content);
  const found = await readYaml(path, DvcFile);
  if (!found) return writeAtomically(path, toYaml({ outs: [entry] }));
  const index = found.value.outs.findIndex((out) => out.path === name);
  const outs = found.document.get('outs');
  const node = isSeq(outs) ? outs.items[index] : undefined;
  if (!isMap(node)) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `${path} does not track ${name}; remove it, or track ${name} with dvc add`,
    );
  }
  for (const key of ['md5', 'size', 'nfiles', 'isexec', 'hash'] as const) {
    const value = entry[key];
    if (node.get(key) === value) continue;
    if (value === undefined) node.delete(key);
    else node.set(key, toNode(found.document, value));
  }
  const text = documentText(found.document, found.text);
  if (text !== found.text) await writeAtomically(path, text);
}
