import { type Answers, type Batch } from '../model/served-model';
import { type LiveModel, type Role } from '../reload/live-model';

/** A request's rows, read, scored, counted and logged. */
export interface Answered {
  live: LiveModel;
  role: Role;
  batch: Batch;
  answers: Answers;
}
