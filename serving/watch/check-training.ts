import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type AlarmCause } from '../../contracts/drift';
import { type DriftParams, falseAlarmsPerCheck } from '../../contracts/drift-params';
import { listed, RetrainError } from '../../contracts/errors';
import { VERSION_TAG } from '../../contracts/names';
import { type TrainingResult } from '../../contracts/run';
import { type Artifact, TableSchema } from '../../contracts/stage';
import { lowerIsBetter, promotionMetric } from '../../contracts/task-metrics';
import { type Look } from '../../contracts/watch';
import { type ModelVersion } from '../../integrations/mlflow/registry-record';
import { resultFromTags } from '../../integrations/mlflow/result-tag';
import { type Column } from '../../ml/dataset/raw-table';
import { inputsOf } from '../../ml/dataset/table-artifact';
import {
  type DriftSettings,
  levelOf,
  oneColumn,
  QUESTIONS_PER_COLUMN,
  USUAL_STABILITY,
} from '../../ml/drift/drift';
import { shown } from './accuracy-causes';
import { shownName } from './causes';
import { type DriftDeps, type DriftWatch } from './drift-question';
import { sampleTable } from './sample-table';
import { trainingRows } from './training-rows';

/** Versions that are looked through for the newest that was trained, the newest ones. */
const LOOKED_THROUGH = 20;

/** What is noted of a training, in a tag of its version. */
const TrainingGain = z.object({
  /** The version that it was held against. */
  before: z.string(),
  /** Columns that drifted between their training rows, worst first; a few. */
  drifted: z.array(z.string()).max(10),
  metric: z.string(),
  was: z.number(),
  is: z.number(),
  gained: z.boolean(),
  rows: z.int().min(0),
});
type TrainingGain = z.infer<typeof TrainingGain>;

/**
 * Whether the newest training gained what its data changed: data that drifted from those of the version that it was held against, without
 * better accuracy, are an alarm. Data of another hash that are distributed alike are none. Looked at once for each version, and noted in
 * its tags.
 *
 * @throws RetrainError as MLflow and the store do; what is gone is told in the note
 */
export async function checkTraining(
  deps: DriftDeps,
  { model, params }: { model: string; params: DriftParams },
  watch: DriftWatch,
): Promise<Look> {
  const { signal } = watch;
  const versions = await deps.mlflow.registry.listVersions(model, LOOKED_THROUGH, signal);
  for (const version of versions) {
    const noted = readGain(version);
    if (noted !== null) return told(version, noted);
    if (version.runId === '') continue;
    const run = await deps.mlflow.runs.get(version.runId, signal);
    const result = resultFromTags(run.tags);
    if (result === null) continue;
    const before = versions.find((one) => one.version === result.champion?.version);
    if (before === undefined) return quiet(`version ${version.version} was held against no other`);
    try {
      const gain = await compared(deps, params, [before, version], result, watch);
      await deps.mlflow.registry.setVersionTags(
        model,
        version.version,
        { [VERSION_TAG.trainingGain]: JSON.stringify(gain) },
        signal,
      );
      return told(version, gain);
    } catch (error) {
      if (!(error instanceof RetrainError) || !GONE.has(error.code)) throw error;
      return { ...quiet(`not known: ${error.message}`), checked: [] };
    }
  }
  return quiet('no version was trained by retrain');
}

const GONE: ReadonlySet<string> = new Set(['NOT_FOUND', 'ARTIFACT_MISSING', 'ARTIFACT_DAMAGED']);

/** The registry is other people's: what is no note of ours is none. */
function readGain({ tags }: ModelVersion): TrainingGain | null {
  const text = tags[VERSION_TAG.trainingGain] ?? '';
  if (text === '' || text.length > 10_000) return null;
  try {
    return TrainingGain.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

async function compared(
  deps: DriftDeps,
  params: DriftParams,
  [before, after]: [ModelVersion, ModelVersion],
  result: TrainingResult,
  { signal, onProgress }: DriftWatch,
): Promise<TrainingGain> {
  const [old, now] = await Promise.all([tableOf(deps, before, signal), tableOf(deps, after, signal)]);
  const drifted: { name: string; stability: number }[] = [];
  // The same rows by hash: nothing can have drifted.
  if (old.sha256 !== now.sha256) {
    const pairs = now.columns.flatMap((column): [Column, Column][] => {
      const earlier = old.columns.find(({ name, kind }) => name === column.name && kind === column.kind);
      return earlier === undefined ? [] : [[earlier, column]];
    });
    const settings: DriftSettings = {
      level: levelOf(falseAlarmsPerCheck(params), QUESTIONS_PER_COLUMN * pairs.length),
      leastStability: params.psi ?? USUAL_STABILITY,
      leastStrange: params.new_values,
      leastMissing: params.missing,
      seed: 0,
    };
    pairs.forEach(([earlier, column], at) => {
      signal.throwIfAborted();
      onProgress?.('comparing training rows', at);
      if (params.exclude.includes(column.name)) return;
      const { alarms, name, stability } = oneColumn(earlier, column, settings, at);
      if (alarms.length > 0) drifted.push({ name, stability });
    });
  }
  drifted.sort((a, b) => b.stability - a.stability);
  const names = drifted.slice(0, 10).map(({ name }) => shownName(name));
  return { before: before.version, drifted: names, rows: now.rows, ...gainOf(result, before) };
}

/** Better beyond chance on the rows that neither was trained on; where there were none, better on each one's own held-out rows. */
function gainOf(
  { comparison, metrics, champion }: TrainingResult,
  before: ModelVersion,
): Pick<TrainingGain, 'metric' | 'was' | 'is' | 'gained'> {
  if (comparison != null) {
    const { metric, champion: was, candidate: is, difference, interval } = comparison;
    const sign = lowerIsBetter(metric) ? -1 : 1;
    const worst = interval === null ? sign * difference : Math.min(sign * interval.low, sign * interval.high);
    return { metric, was, is, gained: worst > 0 };
  }
  const metric =
    [promotionMetric({ task: 'classification', promote: {} }), 'r2'].find((one) => one in metrics) ?? '';
  const [was, is] = [
    champion?.metrics?.[metric] ?? Number(before.tags[VERSION_TAG.testAccuracy] ?? NaN),
    metrics[metric] ?? NaN,
  ];
  if (!Number.isFinite(was) || !Number.isFinite(is)) {
    throw new RetrainError('NOT_FOUND', 'the two versions have no metric in common');
  }
  return { metric, was, is, gained: is > was };
}

async function tableOf(
  deps: DriftDeps,
  version: ModelVersion,
  signal: AbortSignal,
): Promise<{ columns: Column[]; rows: number; sha256: string }> {
  if (version.runId === '') {
    throw new RetrainError('NOT_FOUND', `version ${version.version} came from no run`);
  }
  const run = await deps.mlflow.runs.get(version.runId, signal);
  const { train, schema } = await trainingRows(deps, version, run, null, signal);
  const fields = schema === null ? [] : inputsOf(await readSchema(deps, schema, signal));
  await deps.store.verify(train, signal);
  const table = { path: deps.store.pathOf(train.md5), shown: train.name, rules: { missing: [] } };
  const asked = fields.map(({ name, kind }) => ({
    name,
    type: kind === 'number' ? ('number' as const) : ('text' as const),
    ...{ optional: true, nullable: true, levels: null },
  }));
  const { columns, of } = await sampleTable(table, asked, { seed: 0, signal });
  return { columns, rows: of, sha256: train.sha256 };
}

async function readSchema(
  { store }: DriftDeps,
  artifact: Artifact,
  signal: AbortSignal,
): Promise<TableSchema> {
  await store.verify(artifact, signal);
  return TableSchema.parse(JSON.parse(await readFile(store.pathOf(artifact.md5), 'utf8')));
}

function told({ version }: ModelVersion, gain: TrainingGain): Look {
  const { before, drifted, metric, was, is, gained, rows } = gain;
  if (drifted.length === 0)
    return quiet(`version ${version}: its training rows are distributed as those of version ${before}`);
  const change = `${metric} ${shown(was)} → ${shown(is)}`;
  if (gained)
    return quiet(
      `version ${version}: ${listed(drifted)} drifted from version ${before}, and it is better for it: ${change}`,
    );
  const cause: AlarmCause = {
    key: `training:v${version}`,
    column: null,
    title: `version ${version} was trained on drifted data without better ${metric}`,
    detail: `Against version ${before} its training rows drifted in ${listed(drifted)}, and its accuracy did not rise beyond chance: ${change} on held-out rows. Look at where the data come from`,
    rows,
  };
  return { ...quiet(cause.title), causes: [cause] };
}

function quiet(note: string): Look {
  return { checked: ['training'], causes: [], more: 0, note, metrics: {}, trouble: null };
}
