import { z } from 'zod';
import { AlarmCause } from './drift';

const share = z.number().min(0).max(1);

const interval = { low: z.number(), high: z.number() };

/** How right a model version was on what it answered, and how right it is thought to be where nobody knows yet. */
export const AccuracyReport = z.object({
  model: z.string(),
  modelVersion: z.string(),
  window: z.object({ from: z.string(), to: z.string() }),
  /** Of the intervals. */
  level: share,
  /** Rows that it answered in the window; what it only listened to (shadow) is not among them. */
  rows: z.int().min(0),
  labels: z.object({
    /** Rows whose true label is known, and can be read. */
    rows: z.int().min(0),
    share,
    /** The same of each answer, the most frequent first: labels that come for some answers only bend every figure below. */
    byAnswer: z.array(z.object({ answer: z.string(), rows: z.int(), labelled: z.int() })),
    /** From the answer to its label, in seconds; null: no label. */
    delay: z.object({ median: z.number(), most: z.number() }).nullable(),
    /** Labels whose time is before their answer's: clocks differ. */
    early: z.int().min(0),
    /** Labels that are none of the model's classes; they count as wrong answers. */
    unknown: z.int().min(0),
    /** Labels that are no number where the target is one; they count as none. */
    unreadable: z.int().min(0),
    needed: z.int().min(0),
  }),
  /** The metric that decides on promotion. */
  metric: z.string(),
  /** That metric and those of the gate, on the labelled rows; empty: too few labels. */
  live: z.array(z.object({ metric: z.string(), value: z.number(), ...interval })),
  /** Metrics that the log cannot give: it keeps the probability of the answered class only. */
  unmeasured: z.array(z.string()),
  /** The held-out rows of the version, answered again; null: they are gone. */
  promised: z.object({ rows: z.int(), metrics: z.record(z.string(), z.number()) }).nullable(),
  gate: z.array(z.object({ metric: z.string(), limit: z.number() })),
  /** Before labels come; null: `estimatedNot` says why. */
  estimated: z
    .object({
      metric: z.string(),
      value: z.number(),
      ...interval,
      heldOut: z.number(),
      rows: z.int(),
      /** The check of itself: the estimate of the labelled rows beside what came true of them; null: too few labels. */
      check: z
        .object({
          labels: z.int(),
          estimated: z.number(),
          ...interval,
          realised: z.number(),
          /** Whether what came true lies in the interval. */
          within: z.boolean(),
        })
        .nullable(),
    })
    .nullable(),
  estimatedNot: z.string().nullable(),
  causes: z.array(AlarmCause),
});
export type AccuracyReport = z.infer<typeof AccuracyReport>;
