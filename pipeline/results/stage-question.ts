import { type Artifact } from '../../contracts/stage';
import { type ComputeStage } from '../compute-stage';
import { stageKey } from './stage-cache';

/** A stage with its inputs, of which only the hashes count, and the key that they make. */
export interface StageQuestion {
  work: ComputeStage;
  inputs: Readonly<Record<string, Pick<Artifact, 'sha256'>>>;
  /** Name of the result: see `stageKey`. */
  key: string;
}

export function questionOf(work: ComputeStage, inputs: StageQuestion['inputs']): StageQuestion {
  const { stage, params, code, makes, mayLeave } = work;
  return { work, inputs, key: stageKey({ stage, params, code, inputs, outputs: [...makes, ...mayLeave] }) };
}
