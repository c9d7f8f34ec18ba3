import { z } from 'zod';
import { type AlarmAnswer, type AlarmFamily, type AlarmFinding, type AlarmPolicy } from './alarm';
import { type AlarmCause } from './drift';
import { ProjectIdentity } from './project-identity';
import { type Metrics } from './stage';

/** Input of the workflow `monitorModel`. */
export const MonitorInput = z.strictObject({
  model: z
    .string()
    .min(1)
    .max(500)
    .describe('`iris-classifier`, which is the version in production, or `iris-classifier@3`.'),
  data: z
    .string()
    .min(1)
    .max(1000)
    .optional()
    .describe(
      'File or folder of rows to look at, relative to the worker’s project. Absent: the prediction log.',
    ),
  log: z.boolean().optional().describe('The prediction log; the default without data.'),
  window: z
    .string()
    .regex(/^[1-9]\d{0,3}(\.\d+)?(h|d|w)$/, 'must be a span such as 12h, 7d or 2w')
    .optional()
    .describe('How much of the log, back from now. Default: drift.window of params.yaml.'),
  now: z.iso
    .datetime({ offset: true })
    .refine((time) => !(Date.parse(time) < 0), 'must be a time from 1970 on')
    .optional()
    .describe('The moment of the check, ISO 8601, for a look back. Default: when the check was scheduled.'),
  params: z
    .string()
    .min(1)
    .max(1000)
    .optional()
    .describe('The params file whose `drift` says how to check, relative to the worker’s project.'),
  project: ProjectIdentity.optional().describe('Filled in by schedules: whose model it is.'),
});
export type MonitorInput = z.infer<typeof MonitorInput>;

/** What a check is about, settled before it starts. */
export interface WatchSpec {
  checkId: string;
  model: string;
  modelVersion: string;
  /** Empty: the version came from no run. */
  modelRunId: string;
  /** As given, relative to the project; null: the prediction log. */
  data: string | null;
  /** ISO 8601: of the log, from the first on and before the second. */
  from: string;
  now: string;
  /** Relative to the project. */
  paramsPath: string;
  policy: AlarmPolicy;
  /** Whose it is: workers of other projects refuse it. */
  project?: ProjectIdentity;
}

/** What one part of a check came to. */
export interface Look {
  /** What was looked at, with enough rows to say something. */
  checked: AlarmFamily[];
  /** Worst first. */
  causes: AlarmCause[];
  /** Causes beyond those. */
  more: number;
  /** A line for people: what there was, or why nothing is said. */
  note: string;
  /** For the curves in MLflow. */
  metrics: Metrics;
  /** PSI of the worst columns, by name; they are gauges, and no curves: MLflow takes no such names. Absent: of none. */
  columns?: Metrics;
  /** Why it could not be looked at; null: it could. */
  trouble: string | null;
}

/** The MLflow run in which a version's checks are. */
export interface WatchRun {
  mlflowRunId: string;
  mlflowExperimentId: string;
}

export interface DriftLook extends Look {
  /** The page, and SHA-256, of the report; null: there is none. */
  report: { url: string; sha256: string } | null;
}

/** What the workflow `monitorModel` came to. */
export interface MonitorResult extends AlarmAnswer, WatchRun {
  model: string;
  modelVersion: string;
  now: string;
  /** A line for each part. */
  notes: { drift: string; accuracy: string; training: string };
  report: string | null;
}

export interface WatchActivities {
  /** Checks what was asked for, and settles version, moment and policy. */
  resolveWatch(input: MonitorInput): Promise<WatchSpec>;
  lookForDrift(input: { watch: WatchSpec; project?: ProjectIdentity }): Promise<DriftLook>;
  lookAtAccuracy(input: { watch: WatchSpec; project?: ProjectIdentity }): Promise<Look>;
  /** Whether the newest training was on data that drifted from its predecessor's, without better accuracy. */
  lookAtTraining(input: { watch: WatchSpec; project?: ProjectIdentity }): Promise<Look>;
  /** Writes the figures of a check to MLflow. */
  recordWatch(input: { watch: WatchSpec; looks: Look[]; project?: ProjectIdentity }): Promise<WatchRun>;
  /** Tells the model's alarm desk. */
  /** @param input.asked The reference that the check was asked for; what it no longer means is not told. */
  tellDesk(input: { finding: AlarmFinding; asked?: string; project?: ProjectIdentity }): Promise<AlarmAnswer>;
}
