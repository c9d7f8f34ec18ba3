import { z } from 'zod';
import { NOTICE_KINDS } from './params';
import { Metrics } from './stage';

export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** What a channel tells people. */
export const Notice = z.object({
  /** The same for every attempt to deliver it: receivers can drop repeats. */
  id: z.string(),
  kind: z.enum(NOTICE_KINDS),
  /** One line: `iris-classifier v4 is in production`. */
  title: z.string(),
  /** One or two sentences. */
  text: z.string(),
  model: z.string(),
  pipelineKey: z.string(),
  workflowId: z.string(),
  workflowRunId: z.string(),
  mlflowRunId: z.string().optional(),
  mlflowExperimentId: z.string().optional(),
  modelVersion: z.string().optional(),
  metrics: Metrics.optional(),
  reason: z.string(),
  /** SHA-256 of the evidence pack of a candidate that waits, or waited, for approval. */
  evidence: z.string().optional(),
  links: z.object({
    temporal: z.string().optional(),
    mlflow: z.string().optional(),
    /** Of a candidate that waits for approval: its evidence pack. */
    evidence: z.string().optional(),
    /** Of an alarm: the page that shows what drifted. */
    report: z.string().optional(),
  }),
  /** ISO 8601. */
  at: z.string(),
});
export type Notice = z.infer<typeof Notice>;
