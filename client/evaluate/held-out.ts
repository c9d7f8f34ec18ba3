import path from 'node:path';
import { containerOptions } from '../../contracts/container';
import { RetrainError } from '../../contracts/errors';
import { type Params } from '../../contracts/params';
import { ARTIFACT, type Artifact } from '../../contracts/stage';
import { type ContentStore } from '../../integrations/dvc/content-store';
import { type Mlflow } from '../../integrations/mlflow/client';
import { championSeenRows } from '../../pipeline/champion-seen-rows';
import { type ComputeStage, computeStage } from '../../pipeline/compute-stage';
import { digestData } from '../../pipeline/run/digest-data';
import { relabelled } from '../../pipeline/run/relabelled';
import { type StageOutcome } from '../../pipeline/run-stage';
import { byName } from '../../pipeline/stage';
import { type Recorded } from '../reproduce/record';
import { bringRecorded } from './recorded-data';
import { type Judge } from './judge';

type Artifacts = Record<string, Artifact>;

/** Rows to score a version on, and what is known of them. */
export interface HeldOut {
  /** test.parquet, test-keys.parquet, schema.json, seen-rows.bin. */
  artifacts: Artifacts;
  /** What they are, for people. */
  from: string;
  rows: number;
  /** Rows left out as the version was trained on them; null: it does not tell which those are. */
  leftOut: number | null;
  note: string | null;
}

/**
 * The rows that a version was held against when it was trained: its own preprocess once more, or its known result. Where this
 * build splits otherwise: the rows of its data that it was not trained on.
 *
 * @throws RetrainError DATA_NOT_FOUND when the data is nowhere; NOT_FOUND when the rows cannot be told
 */
export async function ownRows(judge: Judge): Promise<HeldOut> {
  const { recorded } = judge;
  const made = await preprocessed(judge);
  const artifacts = byName(made.outputs);
  const test = artifacts[ARTIFACT.test];
  const from = `its own held-out rows of ${recorded.data.path}`;
  const wanted = recorded.artifacts[ARTIFACT.test];
  if (test !== undefined && (wanted === undefined || wanted === test.sha256)) {
    const rows = made.metrics['rows_test'] ?? 0;
    const note =
      wanted === undefined
        ? 'the run did not record its held-out rows: these are those that this build makes of its data and params'
        : null;
    return { artifacts, from, rows, leftOut: 0, note };
  }
  const seen = await seenRows(judge);
  if (seen === null) {
    throw new RetrainError(
      'NOT_FOUND',
      `the held-out rows of ${recorded.model} v${recorded.version} cannot be made again: this build prepares its data otherwise, and it does not tell which rows it was trained on; give rows with --data FILE, or check out ${recorded.git.commit.slice(0, 12) || 'its code'} and build that`,
    );
  }
  const bring = (signal: AbortSignal): Promise<void> => bringRecorded(judge, signal);
  const rest = await unseenRows(judge, recorded.params, judge.data, seen, bring);
  return {
    ...rest,
    from: `the rows of ${recorded.data.path} that it was not trained on`,
    note: 'this build splits the data otherwise than the one that trained it',
  };
}

/** The rows of a table that the version was not trained on, prepared as its params say. @throws RetrainError DATA_NOT_FOUND, DATA_INVALID */
export async function rowsOf(judge: Judge, file: string): Promise<HeldOut> {
  const { config, recorded, store, signal } = judge;
  const absolute = path.resolve(config.project, file);
  if (containerOptions(recorded.params.preprocess) !== undefined) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `${recorded.model} v${recorded.version} was prepared by an image of its own, which splits its data: --data cannot prepare a table as that did; leave --data out`,
    );
  }
  const digest = await digestData(config.project, absolute, signal).catch((error: unknown) => {
    throw relabelled(error, absolute, file);
  });
  const data = { name: ARTIFACT.data, ...digest };
  const { files: _, ...rest } = recorded.params.data;
  const params = { ...recorded.params, data: { ...rest, path: file } };
  const seen = await seenRows(judge);
  const made = await unseenRows(judge, params, data, seen, async () => {
    await store.put(absolute, data.name, { signal, expect: { sha256: data.sha256 } });
  });
  const note =
    seen === null ? 'it does not tell which rows it was trained on: some may be among these' : null;
  return { ...made, from: file, note };
}

async function unseenRows(
  judge: Judge,
  params: Params,
  data: Artifact,
  seen: Artifact | null,
  bring: (signal: AbortSignal) => Promise<void>,
): Promise<Omit<HeldOut, 'from' | 'note'>> {
  const schema = await schemaOf(judge);
  const kept: Artifacts = {
    [ARTIFACT.schema]: schema,
    ...(seen === null ? {} : { [ARTIFACT.seenRows]: { ...seen, name: ARTIFACT.seenRows } }),
  };
  const work: ComputeStage = {
    ...computeStage('preprocess', params, judge.code),
    params: JSON.parse(
      JSON.stringify({ data: params.data, preprocess: params.preprocess, task: params.task }),
    ) as ComputeStage['params'],
    makes: [ARTIFACT.test, ARTIFACT.testKeys],
    mayLeave: [],
    // Known by no hash of its own: quick, and made anew.
    cacheable: false,
  };
  const made = await judge.runStage('unseen', work, { ...kept, [ARTIFACT.data]: data }, bring);
  return {
    artifacts: { ...kept, ...byName(made.outputs) },
    rows: made.metrics['rows_test'] ?? 0,
    leftOut: seen === null ? null : (made.metrics['rows_seen'] ?? 0),
  };
}

/** What preprocess learned for the version: among its run's artifacts, or, of an older one, by its preprocess once more. */
async function schemaOf(judge: Judge): Promise<Artifact> {
  const { mlflow, recorded, signal } = judge;
  const wanted = recorded.artifacts[ARTIFACT.schema];
  const kept = await keptSchema(mlflow, judge.store, recorded, signal);
  if (kept !== null && (wanted === undefined || kept.sha256 === wanted)) return kept;
  const made = byName((await preprocessed(judge)).outputs)[ARTIFACT.schema];
  if (made !== undefined && (wanted === undefined || made.sha256 === wanted)) return made;
  throw new RetrainError(
    'NOT_FOUND',
    `how ${recorded.model} v${recorded.version} prepares its rows is not known: the ${ARTIFACT.schema} that its run made is not among the run’s artifacts, and this build makes another one; check out ${recorded.git.commit.slice(0, 12) || 'its code'} and build that`,
  );
}

/** A few MB at most: levels of text columns. */
const MOST_SCHEMA_BYTES = 64 * 2 ** 20;

async function keptSchema(
  mlflow: Mlflow,
  store: ContentStore,
  { mlflowRunId }: Recorded,
  signal: AbortSignal,
): Promise<Artifact | null> {
  const { artifactUri } = await mlflow.runs.get(mlflowRunId, signal);
  const found = (await mlflow.artifacts.list(artifactUri, '', signal)).find(
    (one) => one.path === ARTIFACT.schema,
  );
  if (found === undefined || found.sizeBytes > MOST_SCHEMA_BYTES) return null;
  return store.putBytes(
    await mlflow.artifacts.downloadBytes(artifactUri, ARTIFACT.schema, signal),
    ARTIFACT.schema,
  );
}

async function seenRows({ mlflow, store, version, signal }: Judge): Promise<Artifact | null> {
  return championSeenRows(mlflow, store, version, signal);
}

/** The preprocess of the version's own run. */
async function preprocessed(judge: Judge): Promise<StageOutcome> {
  const { recorded, code } = judge;
  const work = computeStage('preprocess', recorded.params, code, recorded.images);
  return judge.runStage('preprocess', work, { [ARTIFACT.data]: judge.data }, (signal) =>
    bringRecorded(judge, signal),
  );
}
