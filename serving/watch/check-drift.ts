import { type DriftReport } from '../../contracts/drift';
import { falseAlarmsPerCheck } from '../../contracts/drift-params';
import { listed, RetrainError } from '../../contracts/errors';
import { nearest } from '../../contracts/nearest';
import { type Params } from '../../contracts/params';
import { parseModelReference } from '../../integrations/mlflow/registered-run';
import { type ReadingRules } from '../../ml/dataset/csv-format';
import { type Column, takeColumn } from '../../ml/dataset/raw-table';
import { compareTables } from '../../ml/drift/compare-tables';
import { type AnswerHistory } from '../../ml/drift/drift';
import { drawRows } from '../../ml/drift/reservoir';
import { takeWindows, type Windows } from '../../ml/drift/windows';
import { Random } from '../../ml/random/random';
import { digestData } from '../../pipeline/run/digest-data';
import { relabelled } from '../../pipeline/run/relabelled';
import { fetchChecked, type RegisteredModel, servedVersion } from '../model/fetch-checked';
import { type ModelCard, readModelCard } from '../model/model-card';
import { type ServedModel } from '../model/served-model';
import { readingRules } from '../tables/reading-rules';
import { askedAgain, rowsOf } from './answers-column';
import { causesOf } from './causes';
import { type CheckDrift, type DriftDeps, type DriftQuestion, type DriftWatch } from './drift-question';
import { referenceTable } from './reference-table';
import { sampleLog } from './sample-log';
import { sampleTable } from './sample-table';
import { rowsOfSeason } from './season';
import { type TrainingRows, trainingHash, trainingRows } from './training-rows';
import { trainingWindows } from './training-windows';

/** Draws are always the same, so that the same rows have the same report. */
const SEED = 0;

/** Rows that a model is asked again at most, of either side. */
const MOST_ASKED = 20_000;

/** Fewer rows than this have no distribution to speak of. */
const LEAST_HELD_OUT = 20;

/** Rows of now, ready to be compared. */
interface Current {
  columns: Column[];
  /** Null: the model has to be asked. */
  answers: Column | null;
  rows: number;
  of: number;
  /** Of the log; null: not known. */
  times: { first: Date; last: Date } | null;
  /** Fields that they do not have, and why. */
  absent: { column: string; why: string }[];
  about: Pick<DriftReport['current'], 'source' | 'window' | 'data'>;
}

/** See `CheckDrift`. */
export const checkDrift: CheckDrift = async (deps, question, watch) => {
  const { signal } = watch;
  const reference = parseModelReference(question.model);
  const version = await servedVersion(deps.mlflow, reference, signal);
  const named = `${version.name} v${version.version}`;
  if (version.runId === '') {
    throw new RetrainError(
      'NOT_FOUND',
      `${named} has nothing to hold rows of now against: it came from no MLflow run; train it with retrain start`,
    );
  }
  const run = await deps.mlflow.runs.get(version.runId, signal);
  trainingHash(version.name, version.version, run);
  const by = { model: version.name, by: { version: version.version } };
  const opened = await fetchChecked(deps.shelf, by, { publicKey: deps.publicKey, signal });
  const { model } = opened;
  try {
    watch.onProgress?.('finding the training rows');
    const made = await trainingRows(deps, version, run, opened.provenance, signal);
    const current = await rowsOfNow(deps, question, opened, made, watch);
    const { params } = question;
    const known = {
      ...{ model: version.name, modelVersion: version.version, mlflowRunId: version.runId },
      falseAlarms: falseAlarmsPerCheck(params),
      needed: params.min_rows,
      current: { ...current.about, rows: current.rows, of: current.of },
    };
    if (current.of < params.min_rows) {
      const nothing = { columns: [], prediction: null, joint: null, causes: [], leftOut: [], notes: [] };
      return { ...known, ...nothing, reference: { rows: 0, of: 0, season: null }, enough: false };
    }
    return {
      ...known,
      enough: true,
      ...(await compared(deps, question, model, made, current, watch, known)),
    };
  } finally {
    await model.close();
  }
};

async function rowsOfNow(
  deps: DriftDeps,
  { current, params: { exclude } }: DriftQuestion,
  { name, version, model, dir }: Pick<RegisteredModel, 'name' | 'version' | 'model' | 'dir'>,
  { params }: TrainingRows,
  { signal, onProgress }: DriftWatch,
): Promise<Current> {
  const { fields } = model;
  if (current.source === 'log') {
    const { from, to } = current;
    const asked = { dir: deps.predictions, from, to, model: name, modelVersion: version };
    const onRows = (rows: number): void => onProgress?.('reading the log', rows);
    const { absent, ...read } = await sampleLog(asked, model, { seed: SEED, signal, onRows });
    return {
      ...read,
      absent: absent.map((column) => ({ column, why: 'not in all rows of the log' })),
      about: { source: 'log', window: { from: from.toISOString(), to: to.toISOString() }, data: null },
    };
  }
  const rules = readingRules(current.rules ?? {}, trained(await readModelCard(dir), params));
  const onRows = (rows: number): void => onProgress?.('reading the data', rows);
  const { path, shown } = current;
  const digest = await digestData(deps.project, path, signal).catch((error: unknown) => {
    throw relabelled(error, path, shown, 'the path');
  });
  // A table as the training data were has the names of before preprocess.rename; what is not looked at may be missing.
  const aliases = { ...renamed(params?.preprocess.rename ?? {}, fields), ...current.aliases };
  const asked = fields.map((field) => (exclude.includes(field.name) ? { ...field, optional: true } : field));
  const table = { ...current, rules, aliases, made: madeBy(params) };
  const read = await sampleTable(table, asked, { seed: SEED, signal, onRows });
  const there = new Set(read.columns.map(({ name: column }) => column));
  return {
    ...read,
    ...{ answers: null, times: null },
    absent: fields.flatMap((field) =>
      there.has(field.name) ? [] : [{ column: field.name, why: 'not in the data' }],
    ),
    about: { source: 'data', window: null, data: { path: shown, hash: digest.sha256 } },
  };
}

/** A model that does not tell how its training data were written has a run that may. */
function trained({ rules }: ModelCard, params: Params | null): ReadingRules {
  return { csv: rules.csv ?? params?.data.csv, missing: rules.missing ?? params?.data.missing };
}

/** What made the columns that the model takes, where the training data did not have them; empty: they are those of the data. */
function madeBy(params: Params | null): string {
  const { preprocess } = params ?? {};
  const by =
    preprocess?.sql !== undefined
      ? 'preprocess.sql'
      : preprocess?.executor === 'container'
        ? 'the image of its preprocess'
        : preprocess?.auto === true
          ? 'preprocess.auto'
          : null;
  return by === null
    ? ''
    : `${by} made the columns of its training: give a table that went through it, or look at the prediction log (--log)`;
}

/** New names by old ones, of columns that the model takes. */
function renamed(
  rename: Readonly<Record<string, string>>,
  fields: ServedModel['fields'],
): Record<string, string> {
  const names = new Set(fields.map(({ name }) => name));
  return Object.fromEntries(Object.entries(rename).filter(([old, now]) => names.has(now) && !names.has(old)));
}

type Compared = Omit<
  DriftReport,
  'model' | 'modelVersion' | 'mlflowRunId' | 'falseAlarms' | 'needed' | 'current' | 'enough'
>;

async function compared(
  deps: DriftDeps,
  { params }: DriftQuestion,
  model: ServedModel,
  made: TrainingRows,
  current: Current,
  { signal, onProgress }: DriftWatch,
  known: Pick<DriftReport, 'model' | 'modelVersion' | 'mlflowRunId' | 'falseAlarms' | 'needed' | 'current'>,
): Promise<Compared> {
  onProgress?.('reading the training rows');
  const options = { seed: SEED, signal };
  const train = await referenceTable(deps.store, made, made.train, model.fields, options);
  const inTime = await trainingWindows(deps.store, made, train, current, signal);
  const notes = inTime.note === null ? [] : [inTime.note];
  const season = seasonOf(train.columns, current.columns, params.season, params.min_rows);
  if (params.season !== undefined && season === null) {
    notes.push(
      `The training rows lack a season of now, by the column ${params.season}, or have too few rows of it: all training rows are the reference.`,
    );
  }
  const stale = params.exclude.filter((name) => !model.fields.some((field) => field.name === name));
  if (stale.length > 0) notes.push(`drift.exclude names ${listed(stale)}, which the model does not take.`);

  const leftOut = [
    ...current.absent,
    ...[...new Set(params.exclude)]
      .filter((name) => !stale.includes(name) && !current.absent.some(({ column }) => column === name))
      .map((column) => ({ column, why: 'drift.exclude' })),
    ...(season === null || params.season === undefined
      ? []
      : [{ column: params.season, why: 'drift.season' }]),
  ];
  const skipped = new Set(leftOut.map(({ column }) => column));
  const before = ofSeason(train.columns, season).filter(({ name }) => !skipped.has(name));
  const now = before.map(({ name }) => current.columns.find((column) => column.name === name)!);
  if (before.length === 0) {
    throw new RetrainError(
      'CONFIG_INVALID',
      `drift: no column is left to look at: ${listed(leftOut.map(({ column, why }) => `${column} (${why})`))}; take one out of drift.exclude, or of serving.log.exclude`,
    );
  }

  onProgress?.('asking the model');
  const windows =
    inTime.windows !== null && season !== null ? takeWindows(inTime.windows, season.rows) : inTime.windows;
  const answers = await answersOf(deps, model, made, current, params.season, params.min_rows, signal);
  const past =
    answers === null || windows === null
      ? undefined
      : await answersInTime(
          model,
          ofSeason(train.columns, season),
          windows,
          rowsOf([answers.before]),
          signal,
        );
  const { psi, new_values, missing, auc, joint } = params;
  const found = await compareTables(
    { before, now, windows, answers: answers === null ? null : { ...answers, past } },
    { ...{ falseAlarms: known.falseAlarms, psi, new_values, missing, auc, joint }, seed: SEED },
    {
      signal,
      onColumn: (done) => onProgress?.('comparing columns', done),
      onJoint: () => onProgress?.('looking at the columns together'),
    },
  );
  const report = {
    reference: {
      rows: rowsOf(before),
      of: train.of,
      season:
        season === null || params.season === undefined
          ? null
          : { column: params.season, values: season.values },
    },
    ...{ leftOut, notes, ...found },
  };
  return { ...report, causes: causesOf({ ...known, ...report, enough: true }) };
}

/** Rows of the seasons of now; null: all of them. @throws RetrainError CONFIG_INVALID for a column that the model does not take */
function seasonOf(
  train: readonly Column[],
  current: readonly Column[],
  name: string | undefined,
  least: number,
): { rows: Uint32Array; values: number } | null {
  if (name === undefined) return null;
  const [before, now] = [train, current].map((columns) => columns.find((column) => column.name === name));
  if (before === undefined || now === undefined) {
    const names = train.map((column) => column.name);
    const near = nearest(name, names);
    throw new RetrainError(
      'CONFIG_INVALID',
      before === undefined
        ? `drift.season: the model takes no column "${name}"; it takes ${listed(names, 20)}${near === undefined ? '' : `; did you mean "${near}"?`}`
        : `drift.season: the rows of now have no column "${name}"; leave drift.season out, or let the log keep it (serving.log.exclude)`,
    );
  }
  const rows = rowsOfSeason(before, now, least, SEED);
  if (rows === null) return null;
  const values = now.kind === 'number' ? new Set(now.values).size : new Set(now.codes).size;
  return { rows, values };
}

const ofSeason = (columns: readonly Column[], season: { rows: Uint32Array } | null): readonly Column[] =>
  season === null ? columns : columns.map((column) => takeColumn(column, season.rows));

interface AnswersOfBoth {
  before: Column;
  now: Column;
}

/**
 * The model's answers to the held-out rows, not to those that it knows by heart, and its answers now. Null where the held-out rows are gone
 * or too few, or the rows of now lack columns.
 */
async function answersOf(
  { store }: DriftDeps,
  model: ServedModel,
  made: TrainingRows,
  current: Current,
  seasonName: string | undefined,
  least: number,
  signal: AbortSignal,
): Promise<AnswersOfBoth | null> {
  if (made.test === null) return null;
  if (current.answers === null && current.columns.length < model.fields.length) return null;
  const test = await referenceTable(store, made, made.test, model.fields, { seed: SEED, signal });
  const season = seasonOf(test.columns, current.columns, seasonName, least);
  const heldOut = ofSeason(test.columns, season);
  if (rowsOf(heldOut) < LEAST_HELD_OUT) return null;
  const before = await askedAgain(model, someRows(heldOut), signal);
  const now = current.answers ?? (await askedAgain(model, someRows(current.columns), signal));
  return before.kind === now.kind ? { before, now } : null;
}

/** Answers to training rows, of which windows tell how much answers differ from one to the next; how far they are right does not matter here. */
async function answersInTime(
  model: ServedModel,
  train: readonly Column[],
  windows: Windows,
  heldOut: number,
  signal: AbortSignal,
): Promise<AnswerHistory> {
  const rows = someOf(train);
  const answers = await askedAgain(
    model,
    train.map((column) => takeColumn(column, rows)),
    signal,
  );
  // Held-out rows are of a shorter time than the training rows, and so a less certain reference.
  const { length, steps } = windows;
  const heldSteps = Math.max(1, (heldOut / rowsOf(train)) * steps);
  const scale = (1 / heldSteps + 1 / length) / (1 / steps + 1 / length);
  return { answers, windows: takeWindows(windows, rows), scale: Math.max(1, scale) };
}

const someOf = (columns: readonly Column[]): Uint32Array =>
  drawRows(rowsOf(columns), MOST_ASKED, new Random(SEED, 0x6173_6b73));

function someRows(columns: readonly Column[]): Column[] {
  const rows = someOf(columns);
  return columns.map((column) => takeColumn(column, rows));
}
