import { z } from 'zod';
import { AlarmCause } from './drift';
import { ProjectIdentity } from './project-identity';

/** More open causes than this are not followed one by one; the rest are counted. */
export const MOST_OPEN = 100;

/** ISO 8601: others write tags, too, and what is no moment would be waited for without end. */
const moment = z.iso.datetime({ offset: true });

/** A cause that was told, and has not ended. */
export const OpenAlarm = z.object({
  cause: AlarmCause,
  /** When the first check found it. */
  since: moment,
  /** When the latest check found it. */
  seen: moment,
  /** Checks in a row that no longer found it. */
  clear: z.int().min(0),
});
export type OpenAlarm = z.infer<typeof OpenAlarm>;

/** Kinds of causes, by the beginning of their keys: what a check did not look at, it cannot end. */
export const ALARM_FAMILIES = [
  'drift',
  'accuracy:live',
  'accuracy:estimated',
  'training',
  // What a check could not look at.
  'watch',
] as const;
export type AlarmFamily = (typeof ALARM_FAMILIES)[number];

/** What goes with a notice, and stays the same for as long as it is held back. */
export const AlarmNotice = z.object({
  id: z.string(),
  title: z.string(),
  text: z.string(),
  modelVersion: z.string(),
  mlflowRunId: z.string().nullable(),
  mlflowExperimentId: z.string().nullable(),
  reason: z.string(),
  /** The drift report's page. */
  report: z.string().nullable(),
  /** ISO 8601. */
  at: z.string(),
});
export type AlarmNotice = z.infer<typeof AlarmNotice>;

/** A notice that waits for the end of the quiet hours. */
export const HeldNotice = z.object({
  notice: AlarmNotice,
  until: moment,
  /** `given`: the check was told what time it is, so the next check that is told a later one lets it go, and no clock. */
  clock: z.enum(['machine', 'given']),
});
export type HeldNotice = z.infer<typeof HeldNotice>;

/** All that is known of a model's alarms. */
export const AlarmState = z.object({
  /** Version that the latest check was about; null: there was none. */
  version: z.string().nullable(),
  open: z.array(OpenAlarm).max(MOST_OPEN),
  held: z.array(HeldNotice),
  /** When an alarm last asked for a training. */
  trainedAt: moment.nullable(),
  /** Moment of the latest check that was told none: one that is told an earlier one looks back. Absent: by a desk of before. */
  checkedAt: moment.nullable().optional(),
  /** Ids of the latest checks: one that comes twice counts once. */
  checks: z.array(z.string()),
});
export type AlarmState = z.infer<typeof AlarmState>;

/** What to do about alarms, settled for one check. */
export const AlarmPolicy = z.object({
  /** Whether the channels are told. */
  notify: z.boolean(),
  train: z.boolean(),
  /** A training is asked for no more often, in ms. */
  trainEveryMs: z.number().min(0),
  /** Checks in a row without it that end an alarm. */
  resolvedAfter: z.int().min(1),
  /** End of the quiet hours that it is now, ISO 8601; null: it is none. */
  quietUntil: z.string().nullable(),
  clock: z.enum(['machine', 'given']),
  /** Relative to the project. */
  params: z.string(),
});
export type AlarmPolicy = z.infer<typeof AlarmPolicy>;

/** What one check came to. */
export const AlarmFinding = z.object({
  /** The same in every attempt to tell it. */
  checkId: z.string().min(1).max(200),
  model: z.string(),
  modelVersion: z.string(),
  /** ISO 8601. */
  at: z.string(),
  /** What was looked at, with enough rows to say something. */
  checked: z.array(z.enum(ALARM_FAMILIES)),
  /** Worst first. */
  causes: z.array(AlarmCause).max(MOST_OPEN),
  /** Causes beyond those. */
  more: z.int().min(0),
  /** The report of drift: its page, and SHA-256. */
  report: z.object({ url: z.string(), sha256: z.string() }).nullable(),
  mlflowRunId: z.string().nullable(),
  mlflowExperimentId: z.string().nullable(),
  policy: AlarmPolicy,
  project: ProjectIdentity.optional(),
});
export type AlarmFinding = z.infer<typeof AlarmFinding>;

/** What came of a training that an alarm asked for. */
export interface AlarmTraining {
  how: 'started' | 'attached' | 'finished' | 'failed';
  workflowId: string | null;
  /** Why it could not be started, or what stands instead of it. */
  reason: string;
}

/** What a check changed. */
export interface AlarmAnswer {
  raised: string[];
  resolved: string[];
  /** Titles of what is open now. */
  open: string[];
  /** ISO 8601; null: nothing is held back. */
  heldUntil: string | null;
  training: AlarmTraining | null;
  /** The version that took the place of the one that was checked, before the check was over: the desk was told nothing. Absent: none did. */
  supersededBy?: string;
}

/** Input of the workflow `alarmDesk`. */
export interface AlarmDeskInput {
  model: string;
  /** Absent: what MLflow has of it. */
  state?: AlarmState;
}

export interface AlarmActivities {
  /** What the versions' tags tell of the model's alarms: for a desk that begins. */
  readAlarms(input: { model: string }): Promise<AlarmState | null>;
  /** Writes the state to the version that was checked, and takes it from the one before. */
  showAlarms(input: { model: string; before: string | null; state: AlarmState }): Promise<void>;
  /** Starts the training of the data as they are, or finds that they were trained on. */
  trainOnAlarm(input: {
    finding: Pick<AlarmFinding, 'checkId' | 'model' | 'modelVersion' | 'report'>;
    causes: string[];
    params: string;
    project?: ProjectIdentity;
  }): Promise<AlarmTraining>;
}
