import { z } from 'zod';

import { CollectDay } from './collect-columns';
import { type CollectSource } from './collect-source';
import { ProjectIdentity } from './project-identity';

const text = z.string();

/** What ran of a source that is a container. */
const SourceContainer = z.strictObject({
  image: text.describe('As params.yaml has it.'),
  digest: text.describe('Of the image that ran.'),
  command: z.array(text).describe('Empty: that of the image.'),
  env: z.array(text).describe('Names of the variables that it was given.'),
  network: text,
});
export type SourceContainer = z.infer<typeof SourceContainer>;

/** What became of one day of one source. */
export const CollectedDay = z.strictObject({
  source: text,
  day: CollectDay,
  outcome: z
    .enum(['new', 'changed', 'unchanged', 'nothing'])
    .describe(
      '`changed`: the source says something else of the day than before. `nothing`: it has nothing of the day.',
    ),
  file: text.nullable().describe('In the project; null: there is no row.'),
  sha256: text.nullable(),
  sizeBytes: z.number(),
  rows: z.number(),
  quarantined: z.number().describe('Rows that do not fit the columns; they are beside the records.'),
  repeated: z.number().describe('Rows that came twice, or that an earlier day has.'),
  pages: z.number().describe('Answers; of a container, files.'),
  url: text.nullable().describe('Without the key; null: it is a container.'),
  container: SourceContainer.nullable().default(null).describe('null: it is asked over HTTP.'),
  etag: text.nullable(),
  collectedAt: text.describe('When this content was first fetched; ISO 8601, UTC.'),
  watermark: text.nullable().describe('The highest value of its column so far.'),
  newColumns: z.array(text).describe('What rows have beside the columns of params.yaml.'),
});
export type CollectedDay = z.infer<typeof CollectedDay>;

/** A day that could not be collected; nothing of it was written. */
export const FailedDay = z.strictObject({ source: text, day: CollectDay, code: text, message: text });
export type FailedDay = z.infer<typeof FailedDay>;

/** What a start of the training pipeline led to, after a collection. */
export const CollectedTraining = z.strictObject({
  how: z.enum(['started', 'attached', 'finished']),
  pipelineKey: text,
  workflowId: text.optional(),
});
export type CollectedTraining = z.infer<typeof CollectedTraining>;

/** What a collection came to: the result of the workflow, and what `retrain collect --json` prints. */
export const CollectReport = z.strictObject({
  days: z.array(CollectedDay),
  failed: z.array(FailedDay),
  left: z.number().describe('Days that are still to be collected, as more were missed than catch_up.'),
  training: CollectedTraining.nullable().describe('null: none was to be started.'),
});
export type CollectReport = z.infer<typeof CollectReport>;

/** Input of the workflow `collect`. Empty is fine: all sources of params.yaml, the days that are due. */
export const CollectInput = z.strictObject({
  source: text.max(60).optional().describe('Default: all.'),
  day: CollectDay.optional().describe('One day, whether or not it was collected before.'),
  from: CollectDay.optional().describe('First of several days.'),
  to: CollectDay.optional().describe('Last of them.'),
  params: text
    .max(1000)
    .optional()
    .describe('Path of the params file, relative to the worker’s project. Default: params.yaml.'),
  now: z.iso
    .datetime()
    .optional()
    .describe('What counts as the present; for trying out. Default: when it starts.'),
  project: ProjectIdentity.optional().describe('Filled in by schedules: whose data they collect.'),
});
export type CollectInput = z.infer<typeof CollectInput>;

/** Which days of which sources a collection is about. */
export interface CollectRequest {
  source?: string | undefined;
  day?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

/** The days of one source, in their order. */
export interface SourceDays {
  source: string;
  days: string[];
  /** That are due as well, for another time. */
  left: number;
  /** Whether a day means nothing without the one before it: a source with a watermark. */
  inOrder: boolean;
  /** Task queue whose workers collect it; absent: the collection's own. */
  queue?: string;
}

/** A source by its name. */
export interface NamedSource {
  name: string;
  source: CollectSource;
}

const QUEUE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Input of the workflow `collectDay`: one day of one source, under its canonical id. */
export const CollectUnit = z.strictObject({
  source: text.min(1).max(60),
  day: CollectDay,
  queue: text
    .regex(QUEUE)
    .optional()
    .describe('Task queue whose workers collect it; default: the workflow’s own.'),
  params: text.min(1).max(1000).describe('Path of the params file, relative to the worker’s project.'),
  now: z.iso.datetime(),
  by: text
    .min(1)
    .max(100)
    .describe('Run that asks for it; a day that it has changed stays changed to each of its attempts.'),
  project: ProjectIdentity.optional(),
});
export type CollectUnit = z.infer<typeof CollectUnit>;

/** What a collection is about, settled before it starts. */
export interface CollectionPlan {
  sources: SourceDays[];
  params: string;
  /** ISO 8601. */
  now: string;
  /** Registered model that the data are for; of notices. */
  model: string;
  then: 'nothing' | 'train';
  /** Whether a failure is told. */
  notify: boolean;
}

export interface CollectActivities {
  /** Checks what was asked for, and finds out which days are due. */
  planCollection(input: {
    given: unknown;
    startedAt: string;
    project?: ProjectIdentity;
  }): Promise<CollectionPlan>;
  /** Starts the one collection of a day of a source, or joins it, and waits for it. */
  followDay(unit: CollectUnit): Promise<{ day: CollectedDay } | { failed: FailedDay }>;
  fetchDay(unit: CollectUnit): Promise<CollectedDay>;
  /** Starts the training of what was collected since one was last started; null: nothing was. */
  startCollected(input: { params: string; project?: ProjectIdentity }): Promise<CollectedTraining | null>;
}
