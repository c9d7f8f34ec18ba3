import { z } from 'zod';
import { CollectReport } from './collect';
import { DriftReport } from './drift';
import { Params } from './params';
import { ComparisonFigures, GateCheck, TrainingResult } from './run';
import { Artifact, Metrics } from './stage';
import { LedgerEntry } from './steward';

// What each command of `retrain` prints with --json: one object on stdout, on one line. docs/json.md is made from these.

const text = z.string();
const maybe = text.nullable();
const time = text.describe('ISO 8601, UTC.');

/** What any command prints when it fails; the same sentence is on stderr. */
export const JsonError = z.strictObject({
  error: z.strictObject({ code: text.describe('As in docs/errors.md.'), message: text }),
});
export type JsonError = z.infer<typeof JsonError>;

const standing = z
  .strictObject({
    exists: z.boolean().describe('false: the version was deleted.'),
    production: maybe.describe('The version in production at this moment.'),
    aliases: z.array(text).describe('Those that point to the version of the run.'),
  })
  .nullable()
  .describe('Where the version stands now; null: MLflow did not answer, or there is no version.');

const started = {
  how: z
    .enum(['started', 'attached', 'finished'])
    .describe('`attached`: it was running already. `finished`: it was trained before.'),
  pipelineKey: text,
  workflowId: text.optional().describe('Absent for what was trained before.'),
  workflowRunId: text.optional(),
};

const links = z.strictObject({
  evidence: text.optional().describe('The evidence pack of a candidate that waits for approval.'),
  temporal: maybe,
  mlflow: text,
  model: text,
});

const run = z.strictObject({
  runId: text,
  experimentId: text,
  name: text,
  status: z.enum(['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED']),
  startedAt: z.number().describe('Epoch ms.'),
  endedAt: z.number().nullable().describe('Epoch ms; null while it runs.'),
  artifactUri: text,
  deleted: z.boolean(),
  tags: z.record(text, text),
  params: z.record(text, text),
  metrics: Metrics,
});

const listedRun = z.strictObject({
  startedAt: time,
  outcome: text.describe('That of the result; of a run without one, its status in lower case.'),
  version: maybe,
  metrics: Metrics,
  tookMs: z.number().nullable(),
  pipelineKey: text,
  mlflowRunId: text,
  reason: maybe,
});

const plan = z.strictObject({
  pipelineKey: text,
  model: text,
  finished: TrainingResult.nullable().describe('The finished run of this very key: then nothing runs.'),
  last: TrainingResult.nullable().describe('The newest finished run of the model.'),
  parts: z.array(
    z.strictObject({
      part: z.enum(['data', 'params', 'code']),
      hash: text,
      before: maybe.describe('Of the last run; null: there is none.'),
      details: z.array(text),
    }),
  ),
  stages: z.array(z.strictObject({ stage: text, does: z.enum(['run', 'reuse']), because: text })),
  comparison: maybe.describe('What the comparison with the champion will lack.'),
});

const moved = z.strictObject({ model: text, entry: LedgerEntry });

const waiting = z.strictObject({
  version: text,
  champion: maybe,
  requestedBy: maybe,
  approvers: z.array(text).readonly().nullable(),
  expiresAt: time,
  reason: text,
  evidence: maybe.describe('SHA-256 of what the decision rests on.'),
  evidencePage: maybe,
});

const judged = z.strictObject({
  model: text,
  version: text,
  aliases: z.array(text),
  outcome: z.enum(['promoted', 'awaiting_approval', 'staged', 'gate_failed', 'in_production']),
  alias: maybe,
  reason: text,
  rows: z.strictObject({
    from: text,
    rows: z.number(),
    leftOut: z.number().nullable().describe('Rows that it was trained on; null: it does not tell which.'),
    note: maybe,
  }),
  champion: maybe,
  comparison: ComparisonFigures.nullable(),
  metrics: Metrics,
  intervals: z.record(text, z.tuple([z.number(), z.number()])).nullable(),
  confusion: z.array(z.array(z.number())),
  gate: z.array(GateCheck),
  passed: z.boolean(),
  championMetrics: Metrics.nullable(),
  championError: maybe,
});

const partState = z.enum(['started', 'already running', 'restarted', 'external', 'left out']);
const up = z.strictObject({
  temporal: z.strictObject({
    ...{ address: text, uiUrl: maybe, namespace: text },
    startedByUs: z.boolean(),
    state: partState,
  }),
  mlflow: z.strictObject({ uri: text, startedByUs: z.boolean(), state: partState }),
  worker: z.strictObject({
    ...{ pid: z.number().nullable(), taskQueue: text, state: partState },
    why: text.optional().describe('Why it was restarted.'),
  }),
  api: z.strictObject({
    uri: maybe.describe('Of the prediction API; null when it was left out.'),
    state: partState,
    why: text.optional().describe('Why it was restarted, or left out.'),
  }),
  durationMs: z.number(),
});

const doctor = z.strictObject({
  ok: z.boolean(),
  state: text.describe('Folder of the state.'),
  cache: text.describe('Folder of the programs that were fetched.'),
  findings: z.array(
    z.strictObject({
      part: text,
      status: z.enum(['ok', 'missing', 'none', 'up', 'down']),
      version: maybe,
      where: maybe,
      note: maybe,
    }),
  ),
  closed: z
    .array(
      z.strictObject({
        mlflowRunId: text,
        workflowId: text,
        status: z.enum(['FAILED', 'KILLED']),
        reason: text,
      }),
    )
    .optional()
    .describe('With --fix: MLflow runs whose workflow had ended.'),
});

const stage = z.strictObject({
  stage: text,
  key: text.describe('Name of the result: of code, params and inputs.'),
  reused: z.boolean(),
  outputs: z.array(Artifact.extend({ path: maybe.describe('In the project.') })),
  metrics: Metrics,
  durationMs: z.number(),
});

const dataStatus = z.strictObject({
  outs: z.array(
    z.strictObject({
      path: text,
      md5: text,
      sizeBytes: z.number(),
      isExecutable: z.boolean(),
      recordedIn: text,
      state: z.enum(['unchanged', 'modified', 'deleted']),
      inCache: z.boolean(),
    }),
  ),
  stages: z
    .array(z.strictObject({ stage: text, changes: z.array(text) }))
    .describe('Those of dvc.yaml that `dvc repro` would run.'),
});

const written = {
  written: z.array(text).describe('Files, relative to the root of the workspace.'),
  removed: z.array(text),
};

const table = { path: text, md5: text, sha256: text, sizeBytes: z.number().nullable() };
const reproduce = z.strictObject({
  ...{ model: text, version: text, aliases: z.array(text), mlflowRunId: text },
  params: Params,
  paramsPath: text,
  data: z.strictObject({ ...table, extra: z.record(text, z.strictObject(table)).optional() }),
  git: z.strictObject({ commit: text, branch: text, dirty: z.boolean() }),
  codeHash: text,
  images: z.record(text, text),
  metrics: Metrics,
  artifacts: z.record(text, text).describe('SHA-256 by name of what the stages made.'),
  updated: z
    .array(z.strictObject({ key: text, from: z.unknown().optional(), to: z.unknown().optional() }))
    .nullable()
    .describe('With --update-params.'),
  reproduction: z
    .strictObject({
      verdict: z.enum(['bit-identical', 'metric-identical', 'diverged']),
      stage: maybe.describe('The first whose outcome differs.'),
      differences: z.array(text),
      notes: z.array(text),
    })
    .nullable()
    .describe('With --run.'),
});

const verified = z.strictObject({
  model: text,
  dir: text,
  verified: z.literal(true),
  signature: z.enum(['valid', 'unchecked', 'no']),
  files: z.array(text).nullable(),
  buildDefinition: z.looseObject({}).nullable().describe('Of SLSA provenance v1.'),
  runDetails: z.looseObject({}).nullable().describe('Of SLSA provenance v1.'),
});

const predict = z.strictObject({ data: text, model: text, out: text }).nullable();
const watch = z.strictObject({ model: text, data: maybe.describe('null: the prediction log.') }).nullable();
const collected = z
  .strictObject({ params: text, source: maybe.describe('null: all of them.') })
  .nullable()
  .describe('null: it does not collect.');
const schedule = z.strictObject({
  name: text,
  cron: maybe,
  timezone: maybe,
  params: maybe,
  predict,
  watch,
  collect: collected,
  paused: z.boolean(),
  note: maybe,
  lastRunAt: maybe,
  lastWorkflowId: maybe,
  nextRunAt: maybe,
});
const named = { name: text };
const done = z.literal(true);

const predicted = z.strictObject({
  data: text.describe('As it was named.'),
  out: text,
  format: z.enum(['parquet', 'csv', 'json-lines']),
  model: text.describe('Its registered name, or the folder as it was named.'),
  dir: text.describe('Folder of the model’s files.'),
  modelVersion: maybe.describe('null: a folder.'),
  mlflowRunId: maybe,
  fresh: z.boolean().describe('false: MLflow did not answer, and this is the model of the last time.'),
  engine: z.enum(['forest', 'onnxruntime']),
  rows: z.number().int(),
  sha256: text.describe('Of the file that was written.'),
  sizeBytes: z.number().int(),
  dataSha256: text.describe('Of the data; of a folder, of its manifest.'),
  durationMs: z.number(),
});

const openAlarm = z.strictObject({
  key: text.describe('`drift:age:distribution`, `accuracy:live`, …: the same in every check.'),
  title: text,
  detail: text,
  rows: z.number(),
  since: time,
  seen: time.describe('By the latest check that found it.'),
  next: text.describe('What to do about it.'),
});

/** By command. Of several shapes, the options decide which. */
export const JSON_OUTPUT = {
  start: z.union([
    z.strictObject({ ...started, result: TrainingResult, standing, links }).describe('With --wait.'),
    z.strictObject(started).describe('Without.'),
  ]),
  plan,
  list: z.strictObject({ experiment: text, runs: z.array(listedRun) }),
  show: z.strictObject({
    run,
    result: TrainingResult.nullable(),
    standing,
    alarms: z.array(openAlarm).describe('Open alarms of its version, if that was checked last.'),
  }),
  cancel: z.strictObject({ workflowId: text, workflowRunId: text, cancelled: done }),
  validate: z.strictObject({ passed: z.boolean(), checks: z.array(GateCheck), result: TrainingResult }),
  evaluate: judged,
  promote: moved,
  rollback: moved,
  approve: moved,
  reject: moved,
  history: z.union([
    z.strictObject({
      model: text,
      entries: z.array(LedgerEntry).readonly(),
      total: z.number(),
      waiting: z.array(waiting),
    }),
    z
      .strictObject({ model: text, at: time, production: maybe, entry: LedgerEntry.nullable() })
      .describe('With --at.'),
    z
      .strictObject({ model: text, verified: done, entries: z.number(), head: text })
      .describe('With --verify.'),
  ]),
  up,
  down: z.strictObject({ stopped: z.array(text), durationMs: z.number() }),
  doctor,
  stage,
  collect: CollectReport,
  'data status': dataStatus,
  'data push': z.strictObject({
    remote: text,
    moved: z.number().describe('Objects.'),
    present: z.number().describe('Objects that were there.'),
    movedBytes: z.number(),
    stages: z.number().describe('Stages whose results were shared.'),
  }),
  'data pull': z.strictObject({
    remote: text,
    ...written,
    stages: z.number().describe('Stages whose results are known.'),
    missing: z.array(text).describe('Training data that is nowhere.'),
  }),
  restore: z.strictObject({ what: text, ...written }),
  drift: z.strictObject({
    ...DriftReport.shape,
    kept: z
      .strictObject({ mlflowExperimentId: text, mlflowRunId: text, link: text })
      .nullable()
      .describe('Where MLflow has the report; null with --no-keep, or of too few rows.'),
    html: maybe.describe('The file of --report.'),
  }),
  verify: verified,
  predict: predicted,
  reproduce,
  alarms: z.strictObject({
    model: text,
    version: maybe.describe('That was checked last; null: none was.'),
    open: z.array(openAlarm),
    held: z.number().describe('Notices that wait for the end of the quiet hours.'),
  }),
  'schedule create': z.strictObject({
    ...{ name: text, cron: text, timezone: text, params: maybe, predict, watch, collect: collected },
    link: maybe,
  }),
  'schedule list': z.strictObject({ schedules: z.array(schedule) }),
  'schedule trigger': z.strictObject({ ...named, workflowId: maybe, link: maybe }),
  'schedule pause': z.strictObject({ ...named, paused: done }),
  'schedule resume': z.strictObject({ ...named, resumed: done }),
  'schedule delete': z.strictObject({ ...named, deleted: done }),
} satisfies Record<string, z.ZodType>;

export type JsonCommand = keyof typeof JSON_OUTPUT;

/** What a command may print with --json. */
export type JsonOutput = { [C in JsonCommand]: z.input<(typeof JSON_OUTPUT)[C]> };
