import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { RetrainError } from '../contracts/errors';
import { canonicalJson } from '../ml/hashing/canonical-json';
import { sha256Hex } from '../ml/hashing/pipeline-key';
import { COMPUTE_STAGES } from './stage';

/** Hashes of the code that each compute stage runs, made at build time by scripts/hash-stage-code. */
export const StageCode = z.object({
  /** Over all compute stages: the `codeHash` of the pipeline key. */
  combined: z.string(),
  stages: z.record(z.enum(COMPUTE_STAGES), z.string()),
});
export type StageCode = z.infer<typeof StageCode>;

/**
 * The `codeHash` of a run: over the code of its stages, where the image of a stage that runs in a container stands for its code.
 *
 * @param images digest by stage, of container stages only
 */
export function codeHashWith(code: StageCode, images: Readonly<Record<string, string>> = {}): string {
  if (Object.keys(images).length === 0) return code.combined;
  return sha256Hex(canonicalJson({ ...code.stages, ...images }));
}

/** Reads dist/stage-code.json. @throws RetrainError TOOL_MISSING when the project was not built. */
export async function readStageCode(file: string): Promise<StageCode> {
  try {
    return StageCode.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new RetrainError(
      'TOOL_MISSING',
      'stage-code.json is not there or not readable; run `npm run build`',
      { cause },
    );
  }
}
