import { z } from 'zod';
import { ComparisonFigures, GateCheck } from './run';
import { Metrics } from './stage';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** A cell of a row as people read it. */
const Value = z.union([z.string(), z.number(), z.null()]);

/** A held-out row on which the two models do not say the same. */
export const Disagreement = z.object({
  row: z.int().min(1).describe('Number among the held-out rows.'),
  truth: z.string(),
  candidate: z.string(),
  champion: z.string(),
  values: z.array(Value).describe('Of the columns that are shown.'),
});
export type Disagreement = z.infer<typeof Disagreement>;

/** Candidate and champion row by row, on the rows that both were scored on. */
export const SideBySide = z.object({
  confusions: z
    .object({
      labels: z.array(z.string()),
      candidate: z.array(z.array(z.int())).describe('[true][predicted]'),
      champion: z.array(z.array(z.int())),
    })
    .nullable()
    .describe('Null for numbers, and for many classes.'),
  disagreements: z.object({
    total: z.int().describe('Rows on which they do not say the same.'),
    lost: z.int().describe('Of those: where the champion is right, or nearer.'),
    won: z.int().describe('Where the candidate is.'),
    columns: z.array(z.string()).max(30).describe('Those that are shown.'),
    shown: z.array(Disagreement).max(60),
  }),
});
export type SideBySide = z.infer<typeof SideBySide>;

/** Something that is another one than it was for production. Null: not recorded, or not there. */
export const Change = z.object({
  what: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
});
export type Change = z.infer<typeof Change>;

/** A metric of both, on the rows that both were scored on; of a first version, on all of its own. */
export const EvidenceMetric = z.object({
  metric: z.string(),
  candidate: z.number(),
  champion: z.number().nullable(),
  interval: z.tuple([z.number(), z.number()]).nullable().describe('Of the candidate, on all held-out rows.'),
  difference: z.tuple([z.number(), z.number()]).nullable().describe('Interval of candidate minus champion.'),
});
export type EvidenceMetric = z.infer<typeof EvidenceMetric>;

/** What somebody who is to approve a candidate goes by. Its SHA-256 is in the ledger, and names the file. */
export const Evidence = z.object({
  format: z.literal('retrain-evidence'),
  version: z.literal(1),
  model: z.string(),
  modelVersion: z.string(),
  champion: z.string().nullable().describe('Production at that time; null: there was none.'),
  reason: z.string(),
  requestedBy: z.string().nullable(),
  gate: z.array(GateCheck),
  comparison: ComparisonFigures.nullable(),
  rows: z.string().describe('Which rows the metrics are on, in words.'),
  changes: z.object({
    data: z.array(Change),
    params: z.array(Change),
    code: z.array(Change),
    known: z.boolean().describe('False: production does not tell what it was made of.'),
  }),
  metrics: z.array(EvidenceMetric),
  baselines: z.array(z.object({ algorithm: z.string(), metrics: Metrics })),
  confusion: z
    .object({ labels: z.array(z.string()), counts: z.array(z.array(z.int())) })
    .nullable()
    .describe('Of the candidate, on all held-out rows.'),
  sideBySide: SideBySide.nullable(),
  slices: z.array(
    z.object({
      column: z.string(),
      slice: z.string(),
      rows: z.int(),
      candidate: z.number(),
      champion: z.number(),
    }),
  ),
  lineage: z.object({ pipelineKey: sha256, dataHash: sha256, paramsHash: sha256, codeHash: sha256 }),
  workflowId: z.string(),
  mlflowRunId: z.string(),
});
export type Evidence = z.infer<typeof Evidence>;

/** Where an evidence pack is among the artifacts of its run: a file of JSON, and its page. */
export const evidencePath = (sha256: string, kind: 'json' | 'html'): string => `evidence/${sha256}.${kind}`;
