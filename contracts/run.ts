import { z } from 'zod';
import { type Lineage } from './lineage';
import { Params } from './params';
import { ProjectIdentity } from './project-identity';
import { Artifact, Metrics } from './stage';
import { lowerIsBetter } from './task-metrics';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Where the code came from; empty strings outside a git repository. */
export const GitState = z.object({
  commit: z.string(),
  branch: z.string(),
  dirty: z.boolean(),
  remoteUrl: z.string(),
});
export type GitState = z.infer<typeof GitState>;

/** The data of a run: where it lies in the project, and its content. */
export const TrainingData = Artifact.omit({ name: true }).extend({ path: z.string() });
export type TrainingData = z.infer<typeof TrainingData>;

/** Everything a run is about, settled before it starts. Small: hashes, paths, numbers. */
export const RunSpec = z.object({
  params: Params,
  paramsPath: z.string(),
  data: TrainingData,
  /** Tables to join (`data.extra`), by name. */
  extra: z.record(z.string(), TrainingData).optional(),
  /** Over `data` and `extra`; absent: there is no extra table, and it is that of the data. */
  dataHash: sha256.optional(),
  paramsHash: sha256,
  codeHash: sha256,
  /** Digest of each container stage's image, which stands for its code: `sha256:…` by stage. */
  images: z.record(z.string(), z.string()).optional(),
  pipelineKey: sha256,
  /** Set by `--force`: makes a fresh run of the same key, and names it across retries. */
  forceId: z.string().optional(),
  git: GitState,
  /** Whose run it is: workers of other projects refuse it. Absent: started by an older client. */
  project: ProjectIdentity.optional(),
  /** Who started it: a person, or whom a CI job runs for. Absent: nobody that is known, as from the Web UI. */
  user: z.string().max(100).optional(),
  /** Of a training that an alarm asked for: what was wrong, and the page of its report. No part of the key. */
  alarm: z
    .object({ causes: z.array(z.string().max(300)).max(5), report: z.string().max(2000).nullable() })
    .optional(),
  /** By what a worker knows that its project's own command line made the spec; absent: it is looked through as a trigger is. */
  seal: sha256.optional(),
});
export type RunSpec = z.infer<typeof RunSpec>;

/** Input of the workflow `trainingPipeline`. Empty is fine: params.yaml of the worker’s project. */
export const TrainingInput = z.strictObject({
  params: z
    .string()
    .optional()
    .describe('Path of the params file, relative to the worker’s project. Default: params.yaml.'),
  overrides: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Keys to change, as in params.yaml: {"train": {"n_estimators": 200}}.'),
  force: z.boolean().optional().describe('Train afresh, even if this key has been trained before.'),
  project: ProjectIdentity.optional().describe('Filled in by schedules: whose runs they start.'),
  spec: RunSpec.optional().describe('Filled in by clients that have hashed the data themselves.'),
});
export type TrainingInput = z.infer<typeof TrainingInput>;

const checked = { metric: z.string(), value: z.number(), passed: z.boolean() };

/** One metric held against a limit: the least that it must be or, of losses and errors, the most that it may be. */
export const GateCheck = z.preprocess(
  renamedMinimum,
  z.union([z.object({ ...checked, least: z.number() }), z.object({ ...checked, most: z.number() })]),
);
export type GateCheck = z.infer<typeof GateCheck>;

/** Results of before there was `least` and `most` have a `minimum`, which of losses and errors was the largest value. */
function renamedMinimum(check: unknown): unknown {
  if (typeof check !== 'object' || check === null || !('minimum' in check)) return check;
  const { minimum, ...rest } = check;
  const metric = 'metric' in rest ? String(rest.metric) : '';
  return { ...rest, [lowerIsBetter(metric) ? 'most' : 'least']: minimum };
}

/** Candidate against champion in the metric that decides. */
export const ComparisonFigures = z.object({
  metric: z.string(),
  rows: z.number().describe('Held-out rows that both were scored on.'),
  heldOut: z.number().describe('All held-out rows.'),
  seenByChampion: z
    .number()
    .nullable()
    .describe('Held-out rows that the champion was trained on, which are left out; null: not known.'),
  candidate: z.number(),
  champion: z.number(),
  difference: z.number().describe('Candidate minus champion.'),
  interval: z
    .object({ low: z.number(), high: z.number(), level: z.number() })
    .nullable()
    .describe('Of the difference, by the paired bootstrap; null: none was drawn.'),
});
export type ComparisonFigures = z.infer<typeof ComparisonFigures>;

const lineage = {
  pipelineKey: sha256,
  dataHash: sha256,
  paramsHash: sha256,
  codeHash: sha256,
  gitCommit: z.string(),
} satisfies Record<keyof Lineage, z.ZodType<string>>;

/** What a run comes to: the result of the workflow, and the tag `pipeline_result` of the MLflow run. */
export const TrainingResult = z.object({
  outcome: z.enum(['promoted', 'staged', 'gate_failed', 'awaiting_approval']),
  model: z.string(),
  modelVersion: z.string(),
  ...lineage,
  workflowId: z.string(),
  workflowRunId: z.string(),
  mlflowRunId: z.string(),
  mlflowExperimentId: z.string(),
  metrics: Metrics,
  gate: z.array(GateCheck),
  /** The production version that the candidate was compared with; null: there was none. */
  champion: z
    .object({
      version: z.string(),
      metrics: Metrics.nullable().describe('On the rows that both were compared on.'),
    })
    .nullable(),
  comparison: ComparisonFigures.nullable().optional(),
  evidence: sha256
    .optional()
    .describe('Of the evidence pack of a candidate that waits for approval, among the run’s artifacts.'),
  /** `production`, `staging`, or null when the gate failed. */
  alias: z.string().nullable(),
  reason: z.string(),
  warnings: z
    .array(z.string())
    .optional()
    .describe('What speaks against trusting the result: leakage, ids, rare classes; the report has all.'),
  reused: z.array(z.string()).optional().describe('Stages that did not run, as their result was known.'),
  stageMs: z.record(z.string(), z.number()).describe('Wall time of each stage in ms.'),
  finishedAt: z.string(),
});
export type TrainingResult = z.infer<typeof TrainingResult>;
