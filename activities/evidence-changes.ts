import { z } from 'zod';
import { RetrainError } from '../contracts/errors';
import { type Change, type Evidence } from '../contracts/evidence';
import { RUN_TAG } from '../contracts/names';
import { Params } from '../contracts/params';
import { type DecideInput } from '../contracts/steward';
import { type Mlflow } from '../integrations/mlflow/client';
import { type MlflowRun } from '../integrations/mlflow/run-record';

/** A page that a person reads; more changes than these are counted. */
const MOST_CHANGES = 100;
const MOST_LETTERS = 300;

/** What model_metadata.json says of the rows and columns. */
const Metadata = z.object({
  features: z.array(z.string()).default([]),
  classes: z.array(z.string()).default([]),
  sizes: z.object({ train_rows: z.number().optional(), test_rows: z.number().optional() }).default({}),
});
type Metadata = z.infer<typeof Metadata>;

/** No description of a model is larger, in bytes. */
const MOST_METADATA_BYTES = 16 * 2 ** 20;

interface Made {
  run: MlflowRun;
  metadata: Metadata | null;
}

/** What is other data, params and code in a candidate than in production, by what their MLflow runs recorded. */
export async function changesAgainst(
  mlflow: Mlflow,
  { spec, championVersion, mlflowRunId }: DecideInput,
  signal: AbortSignal,
): Promise<Evidence['changes']> {
  const nothing = { data: [], params: [], code: [], known: false };
  if (championVersion === null) return nothing;
  const before = await champion(mlflow, spec.params.model, championVersion, signal);
  if (before === null || before.run.tags[RUN_TAG.paramsHash] === undefined) return nothing;
  const after = await made(mlflow, mlflowRunId, signal);
  return {
    data: dataChanges(before, after),
    params: bounded(paramChanges(before.run.params, after.run.params), 'params'),
    code: bounded(codeChanges(before.run.tags, after.run.tags), 'parts of the code'),
    known: true,
  };
}

/** Null: it came from no run, or its run is gone. */
async function champion(
  mlflow: Mlflow,
  model: string,
  version: string,
  signal: AbortSignal,
): Promise<Made | null> {
  try {
    const { runId } = await mlflow.registry.getVersion(model, version, signal);
    return runId === '' ? null : await made(mlflow, runId, signal);
  } catch (error) {
    if (error instanceof RetrainError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

async function made(mlflow: Mlflow, runId: string, signal: AbortSignal): Promise<Made> {
  const run = await mlflow.runs.get(runId, signal);
  const name = 'model_metadata.json';
  const found = (await mlflow.artifacts.list(run.artifactUri, '', signal)).find(({ path }) => path === name);
  if (found === undefined || found.sizeBytes > MOST_METADATA_BYTES) return { run, metadata: null };
  const text = Buffer.from(await mlflow.artifacts.downloadBytes(run.artifactUri, name, signal)).toString(
    'utf8',
  );
  return { run, metadata: parsed(text) };
}

/** Anybody can write to the artifacts of a run. */
function parsed(text: string): Metadata | null {
  try {
    return Metadata.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function dataChanges(before: Made, after: Made): Change[] {
  const rows = (of: Made, key: 'train_rows' | 'test_rows'): string | undefined =>
    of.metadata?.sizes[key]?.toLocaleString('en-US');
  const tag = (name: string): Change[] => change(name, before.run.tags[name], after.run.tags[name]);
  return [
    ...change('file', before.run.params['data.path'], after.run.params['data.path']),
    ...tag(RUN_TAG.dataHash),
    ...change('bytes', before.run.tags[RUN_TAG.dataSize], after.run.tags[RUN_TAG.dataSize]),
    ...change('training rows', rows(before, 'train_rows'), rows(after, 'train_rows')),
    ...change('held-out rows', rows(before, 'test_rows'), rows(after, 'test_rows')),
    ...listChange('columns', before.metadata?.features, after.metadata?.features),
    ...listChange('classes', before.metadata?.classes, after.metadata?.classes),
  ];
}

/** `without a, b` → `with c`. */
function listChange(what: string, before: readonly string[] = [], after: readonly string[] = []): Change[] {
  const gone = before.filter((one) => !after.includes(one));
  const come = after.filter((one) => !before.includes(one));
  const shown = (items: readonly string[]): string | undefined =>
    items.length === 0 ? undefined : cut(items.slice(0, 20).join(', '));
  return gone.length + come.length === 0
    ? []
    : [{ what: `${what} gone, and new`, before: shown(gone) ?? null, after: shown(come) ?? null }];
}

function paramChanges(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  // The run has names for other tools, too: n_estimators, dataset_hash.
  return names
    .filter((name) => Object.hasOwn(Params.shape, name.split('.')[0] ?? ''))
    .flatMap((name) => change(name, before[name], after[name]));
}

const CODE_TAGS = new RegExp(
  `^(?:${RUN_TAG.gitCommit}|${RUN_TAG.gitDirty}|${RUN_TAG.codeHash}(?:\\..*)?|${RUN_TAG.imageDigest}\\..*|${RUN_TAG.libraryVersions})$`,
);

function codeChanges(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names
    .filter((name) => CODE_TAGS.test(name))
    .flatMap((name) => change(name, before[name], after[name]));
}

function change(what: string, before: string | undefined, after: string | undefined): Change[] {
  if (before === after) return [];
  return [{ what: cut(what), before: shown(before), after: shown(after) }];
}

const shown = (text: string | undefined): string | null => (text === undefined ? null : cut(text));

const cut = (text: string): string =>
  text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS - 1)}…` : text;

function bounded(changes: Change[], what: string): Change[] {
  const more = changes.length - MOST_CHANGES;
  if (more <= 0) return changes;
  const rest = { what: `${more} more ${what}`, before: null, after: null };
  return [...changes.slice(0, MOST_CHANGES), rest];
}
