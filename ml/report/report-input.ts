import { type GateCheck } from '../../contracts/run';
import { type Evaluation, type TableProfile, type TrainingNotes } from '../../contracts/stage';

/** All that a report tells; the files of a run, and where they come from. */
export interface ReportInput {
  model: string;
  /** Of the candidate; absent before it is registered. */
  version?: string;
  /** `promoted`, `staged` or `gate_failed`, and one sentence on it. */
  outcome?: string;
  reason?: string;
  /** Of the production version that the candidate was compared with. */
  championVersion: string | null;
  /** Label to value, in order: commit, hashes, ids, times. */
  lineage: Readonly<Record<string, string>>;
  gate: readonly GateCheck[];
  evaluation: Evaluation;
  profile?: TableProfile;
  training?: TrainingNotes;
}
