import { isDeepStrictEqual } from 'node:util';
import { isMap, type Document, type YAMLMap } from 'yaml';
import { z } from 'zod';
import { writeAtomically } from '../files/atomic-write';
import { documentText, toNode, toYaml } from './yaml-text';
import { readYaml } from './yaml-file';

/** A stage of `dvc.yaml`, as far as we write it. */
export interface PipelineStage {
  cmd: string;
  /** Paths below the folder of dvc.yaml. */
  deps?: string[];
  /** Keys of params.yaml, or `{file: keys}`. */
  params?: (string | Record<string, string[]>)[];
  /** Paths, or `{path: {cache: false}}`. */
  outs?: (string | Record<string, Record<string, unknown>>)[];
  metrics?: (string | Record<string, Record<string, unknown>>)[];
}

const PipelineFile = z.looseObject({
  stages: z.record(z.string(), z.looseObject({ cmd: z.unknown().optional() })).default({}),
});

const MANAGED = ['cmd', 'deps', 'params', 'outs', 'metrics'] as const;

/**
 * Stages of a `dvc.yaml`, as they stand there (templates are not resolved); none when it is not there.
 *
 * @throws RetrainError `CONFIG_INVALID`
 */
export async function readPipelineFile(path: string): Promise<Record<string, Record<string, unknown>>> {
  return (await readYaml(path, PipelineFile))?.value.stages ?? {};
}

/**
 * Enters stages into a `dvc.yaml`, of each only the keys that we set. Comments, other stages and other settings of a stage
 * stay; nothing is written when nothing differs. Call it under the workspace lock.
 *
 * @throws RetrainError `CONFIG_INVALID`
 */
export async function updatePipelineFile(path: string, stages: Record<string, PipelineStage>): Promise<void> {
  const found = await readYaml(path, PipelineFile);
  if (!found?.document.contents) {
    const head = found?.text ?? '';
    return writeAtomically(
      path,
      `${head}${head === '' || head.endsWith('\n') ? '' : '\n'}${toYaml({ stages })}`,
    );
  }
  const { document } = found;
  let changed = false;
  if (!isMap(document.get('stages'))) document.set('stages', toNode(document, {}));
  for (const [name, stage] of Object.entries(stages)) {
    const there = document.getIn(['stages', name]);
    if (isMap(there)) {
      changed = changeStage(document, there, stage) || changed;
    } else {
      document.setIn(['stages', name], toNode(document, stage));
      changed = true;
    }
  }
  if (changed) await writeAtomically(path, documentText(document, found.text));
}

/** Whether anything had to change. */
function changeStage(document: Document.Parsed, there: YAMLMap, stage: PipelineStage): boolean {
  const before = there.toJS(document) as Record<string, unknown>;
  let changed = false;
  for (const key of MANAGED) {
    if (stage[key] === undefined || isDeepStrictEqual(before[key], stage[key])) continue;
    there.set(key, toNode(document, stage[key]));
    changed = true;
  }
  return changed;
}
