import { z } from 'zod';
import { OutEntry } from './out-entry';
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
