import { type StageName } from '../../contracts/names';
import { type TrainingResult } from '../../contracts/run';

/** A part of a run's name against the model's last run. */
export interface PartChange {
  part: 'data' | 'params' | 'code';
  hash: string;
  /** Null: there is no earlier run. */
  before: string | null;
  /** For params: `train.n_estimators 100 → 200`. */
  details: string[];
}

/** What a start would do about one stage. */
export interface StagePlan {
  stage: StageName;
  does: 'run' | 'reuse';
  because: string;
}

/** What a start would do. */
export interface Plan {
  pipelineKey: string;
  model: string;
  /** The finished run of this very key, if there is one: then nothing runs. */
  finished: TrainingResult | null;
  /** The newest finished run of the model, which the changes are against. */
  last: TrainingResult | null;
  parts: PartChange[];
  stages: StagePlan[];
  /** What the comparison with the champion will lack, in a sentence; null: nothing that is known now, or nothing runs. */
  comparison: string | null;
}
